import type { Deadline } from "../deadline.ts";
import { ByokError, isByokError, type SlotFailure } from "../errors.ts";
import type { Provider } from "../providers/provider.ts";
import type { NamedSlot } from "./agent-config.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import { isMissingSdk, type SdkLoader } from "./sdk-loader.ts";

/** A slot of an agent whose provider is known and whose SDK is loaded, if its slots have clients. */
export interface BoundSlot extends Omit<NamedSlot, "provider"> {
  readonly provider: Provider;
  /** `undefined`: its slots have no client. */
  readonly sdk: { readonly sdk: unknown } | undefined;
}

/** Finds each named slot's provider and imports its SDK. */
export class SlotBinder {
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #clients: ReadonlySet<Provider>;
  readonly #sdks: SdkLoader;

  constructor({ providers, clients }: Pick<ResolverSettings, "providers" | "clients">, sdks: SdkLoader) {
    this.#providers = providers;
    this.#clients = clients;
    this.#sdks = sdks;
  }

  /** Binds slots whose SDKs are loaded; `undefined` when one is not. */
  bindLoaded(named: readonly NamedSlot[]): (BoundSlot | SlotFailure)[] | undefined {
    const slots: (BoundSlot | SlotFailure)[] = [];
    for (const one of named) {
      const slot = this.#bindLoaded(one);
      if (slot === undefined) return undefined;
      slots.push(slot);
    }
    return slots;
  }

  async bind(orgId: string, named: readonly NamedSlot[], deadline: Deadline): Promise<(BoundSlot | SlotFailure)[]> {
    const slots: (BoundSlot | SlotFailure)[] = [];
    for (const one of named) slots.push(this.#bindLoaded(one) ?? (await this.#load(orgId, one, deadline)));
    return slots;
  }

  /** What needs no wait: a failure, or a slot whose SDK is loaded. */
  #bindLoaded({ slot, provider: id, model, voice }: NamedSlot): BoundSlot | SlotFailure | undefined {
    const provider = this.#providers.get(id);
    if (provider === undefined) {
      const known = [...this.#providers.keys()].join(", ");
      const message = `No provider has that id. Use one of: ${known}; or add it to \`providers\`.`;
      return { code: "provider_unknown", slot, provider: toPrintable(id), message };
    }
    if (!provider.serves.includes(slot)) {
      const message = `"${id}" cannot serve the slot "${slot}", only: ${provider.serves.join(", ")}. Correct the agent.`;
      return { code: "agent_invalid", slot, provider: id, message };
    }
    if (!this.#clients.has(provider)) return { slot, provider, model, voice, sdk: undefined };
    const sdk = this.#sdks.peek(provider);
    return sdk === undefined ? undefined : { slot, provider, model, voice, sdk };
  }

  async #load(orgId: string, named: NamedSlot, deadline: Deadline): Promise<BoundSlot | SlotFailure> {
    const provider = this.#providers.get(named.provider) as Provider;
    try {
      return { ...named, provider, sdk: { sdk: await deadline.outside(this.#sdks.load(provider)) } };
    } catch (error) {
      if (isLasting(error))
        throw new ByokError(error.code, error.message, {
          orgId,
          provider: provider.id,
          slot: named.slot,
          retryable: false,
        });
      if (!isMissingSdk(error) && !isUnread(error)) throw error;
      return { code: error.code, slot: named.slot, provider: provider.id, message: error.message };
    }
  }
}

/** Whether a process could not read its SDK, or what proves it. */
function isUnread(error: unknown): error is ByokError {
  return isByokError(error) && error.code === "import_failed" && error.retryable;
}

/** Whether its SDK cannot be loaded by this process, however often that is tried. */
function isLasting(error: unknown): error is ByokError {
  return isByokError(error) && error.code === "import_failed" && !error.retryable && error.provider !== undefined;
}

/** People paste keys into the wrong field: what does not look like an id is not repeated. */
function toPrintable(id: string): string {
  return /^[a-z][a-z0-9_]{0,31}$/u.test(id) ? id : "?";
}
