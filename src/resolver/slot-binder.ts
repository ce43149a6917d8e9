import type { Deadline } from "../deadline.ts";
import { isByokError, type SlotFailure } from "../errors.ts";
import type { Provider } from "../providers/provider.ts";
import type { NamedSlot } from "./agent-config.ts";
import type { SdkLoader } from "./sdk-loader.ts";

/** A slot of an agent whose provider is known and whose SDK is loaded. */
export interface BoundSlot extends Omit<NamedSlot, "provider"> {
  readonly provider: Provider;
  readonly loaded: unknown;
}

/** Finds each named slot's provider and imports its SDK. */
export class SlotBinder {
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #sdks: SdkLoader;

  constructor(providers: ReadonlyMap<string, Provider>, sdks: SdkLoader) {
    this.#providers = providers;
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

  async bind(named: readonly NamedSlot[], deadline: Deadline): Promise<(BoundSlot | SlotFailure)[]> {
    const slots: (BoundSlot | SlotFailure)[] = [];
    for (const one of named) slots.push(this.#bindLoaded(one) ?? (await this.#load(one, deadline)));
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
    const loaded = this.#sdks.peek(provider);
    return loaded === undefined ? undefined : { slot, provider, model, voice, loaded: loaded.sdk };
  }

  async #load(named: NamedSlot, deadline: Deadline): Promise<BoundSlot | SlotFailure> {
    const provider = this.#providers.get(named.provider) as Provider;
    try {
      return { ...named, provider, loaded: await deadline.race(this.#sdks.load(provider)) };
    } catch (error) {
      if (!isByokError(error) || error.code !== "sdk_missing") throw error;
      return { code: error.code, slot: named.slot, provider: provider.id, message: error.message };
    }
  }
}

/** People paste keys into the wrong field: what does not look like an id is not repeated. */
function toPrintable(id: string): string {
  return /^[a-z][a-z0-9_]{0,31}$/u.test(id) ? id : "?";
}
