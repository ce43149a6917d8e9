import type { Deadline } from "../deadline.ts";
import { isByokError, type SlotFailure } from "../errors.ts";
import type { Provider } from "../providers/provider.ts";
import type { NamedSlot } from "./agent-config.ts";
import type { SdkLoader } from "./sdk-loader.ts";

/** A slot of an agent whose provider is known and whose SDK is loaded. */
export interface PlannedSlot extends Omit<NamedSlot, "provider"> {
  readonly provider: Provider;
  readonly loaded: unknown;
}

/** Finds each named slot's provider and imports its SDK. */
export class SlotPlanner {
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #sdks: SdkLoader;

  constructor(providers: ReadonlyMap<string, Provider>, sdks: SdkLoader) {
    this.#providers = providers;
    this.#sdks = sdks;
  }

  /** The plans of slots whose SDKs are loaded; `undefined` when one is not. */
  planned(named: readonly NamedSlot[]): (PlannedSlot | SlotFailure)[] | undefined {
    const plans: (PlannedSlot | SlotFailure)[] = [];
    for (const slot of named) {
      const plan = this.#planned(slot);
      if (plan === undefined) return undefined;
      plans.push(plan);
    }
    return plans;
  }

  async plan(named: readonly NamedSlot[], deadline: Deadline): Promise<(PlannedSlot | SlotFailure)[]> {
    const plans: (PlannedSlot | SlotFailure)[] = [];
    for (const slot of named) plans.push(this.#planned(slot) ?? (await this.#load(slot, deadline)));
    return plans;
  }

  /** The plan that needs no wait: a failure, or an SDK that is loaded. */
  #planned({ slot, provider: id, model, voice }: NamedSlot): PlannedSlot | SlotFailure | undefined {
    const provider = this.#providers.get(id);
    if (provider === undefined) {
      const message =
        "No provider has the id that the agent names. Correct the agent, or add the provider to `providers`.";
      return { code: "provider_unknown", slot, provider: printable(id), message };
    }
    if (!provider.serves.includes(slot)) {
      const message = `"${id}" cannot serve the slot "${slot}", only: ${provider.serves.join(", ")}. Correct the agent.`;
      return { code: "agent_invalid", slot, provider: id, message };
    }
    const loaded = this.#sdks.peek(provider);
    return loaded === undefined ? undefined : { slot, provider, model, voice, loaded: loaded.sdk };
  }

  async #load(named: NamedSlot, deadline: Deadline): Promise<PlannedSlot | SlotFailure> {
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
function printable(id: string): string {
  return /^[a-z][a-z0-9_]{0,31}$/u.test(id) ? id : "?";
}
