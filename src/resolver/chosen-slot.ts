import type { OpenedSnapshot } from "../coherence/opened-snapshot.ts";
import type { SlotFailure } from "../errors.ts";
import type { ServingKey } from "../providers/egress/key-supply.ts";
import type { Provider } from "../providers/provider.ts";
import type { Slot } from "../slot.ts";
import type { KeySource, SlotCredential } from "./resolved-slot.ts";
import type { BoundSlot } from "./slot-binder.ts";

/**
 * What a slot shows. It stands together, and before the rest of what was chosen, because a call that finds everything in the
 * worker's memory takes as long as the machine takes to fetch that.
 */
export interface ShownSlot {
  readonly provider: string;
  readonly slot: Slot;
  readonly model: string;
  readonly voice: string | undefined;
  readonly source: KeySource["source"];
  readonly reason: KeySource["reason"];
  readonly secretId: string | null;
  readonly region: string | null;
  readonly stale: boolean;
  /** Frozen, because every call that is given the slot shares it. */
  readonly credential: SlotCredential;
}

/** What a slot is made of once its key is chosen. */
export interface ChosenSlot {
  readonly shown: ShownSlot;
  /** The model that the agent names; `undefined`: none. */
  readonly namedModel: string | undefined;
  readonly orgId: string;
  readonly slot: Slot;
  readonly provider: Provider;
  readonly serving: ServingKey;
  readonly bound: BoundSlot;
  /** What it was chosen from; `undefined` where nothing was known. */
  readonly snapshot: OpenedSnapshot | undefined;
  /** When it was chosen, on the monotonic clock, where that holds for a time; `undefined`: it is chosen anew each time. */
  readonly agreedAtMs: number | undefined;
}

export type Outcome = ChosenSlot | SlotFailure;

export function isFailure(outcome: object): outcome is SlotFailure {
  return Object.hasOwn(outcome, "code");
}
