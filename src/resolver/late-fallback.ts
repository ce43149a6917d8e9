import type { Clock } from "../clock.ts";
import type { SnapshotAnswer, SnapshotRequest } from "../coherence/snapshot-answers.ts";
import type { SnapshotCache } from "../coherence/snapshot-cache.ts";
import type { Deadline } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import type { ChosenSlot, Outcome } from "./chosen-slot.ts";
import type { KeyChooser } from "./key-chooser.ts";
import type { BoundSlot } from "./slot-binder.ts";

/** How often a `fallback` that answers later is asked, because what it was asked about has changed meanwhile. */
export const maxAsks = 3;

/** Decisions of a `fallback` that answers later: none is used past a change that came meanwhile. */
export class LateFallback {
  readonly #clock: Clock;
  readonly #cache: SnapshotCache;
  readonly #chooser: KeyChooser;
  /** The longest that such a decision holds for a slot's requests, in milliseconds. */
  readonly #holdsMs: number;

  constructor(clock: Clock, cache: SnapshotCache, chooser: KeyChooser, holdsMs: number) {
    this.#clock = clock;
    this.#cache = cache;
    this.#chooser = chooser;
    this.#holdsMs = holdsMs;
  }

  /** Waits for what was chosen from `answer`; `undefined` where that may not be used any more. */
  async settle(
    orgId: string,
    chosen: readonly (Outcome | Promise<Outcome>)[],
    slots: readonly BoundSlot[],
    answer: SnapshotAnswer | undefined,
    { atLeast }: SnapshotRequest,
    deadline: Deadline,
  ): Promise<readonly Outcome[] | undefined> {
    const outcomes = await deadline.race(Promise.all(chosen));
    const fresh = this.#cache.peek(orgId, answer?.snapshot);
    if (fresh !== undefined || answer?.overdueMs === 0) return fresh === answer?.snapshot ? outcomes : undefined;
    const now = this.#cache.lastKnown(orgId, atLeast);
    const isSame = (slot: BoundSlot): boolean =>
      this.#chooser.failureOf(slot, now) === this.#chooser.failureOf(slot, answer);
    return slots.every(isSame) ? outcomes : undefined;
  }

  /** What `fallback` has chosen for this very failure, not long ago. */
  recall(current: ChosenSlot, answer: SnapshotAnswer | undefined): ChosenSlot | undefined {
    const { bound, shown, agreedAtMs } = current;
    if (agreedAtMs === undefined || this.#clock.monotonicMs() - agreedAtMs >= this.#holdsMs) return undefined;
    if (this.#chooser.failureOf(bound, answer) !== shown.reason) return undefined;
    const known = shown.reason === "store_unavailable" ? undefined : answer;
    const stale = known !== undefined && known.overdueMs > 0;
    return { ...current, snapshot: known?.snapshot, shown: { ...current.shown, stale } };
  }
}

export function isDecided(chosen: readonly (Outcome | Promise<Outcome>)[]): chosen is Outcome[] {
  return !chosen.some((one) => one instanceof Promise);
}

export function keepsChanging(orgId: string): ByokError {
  const message = `The organisation's keys changed each of the ${maxAsks} times that "fallback" was being asked. Try again.`;
  return new ByokError("key_replaced", message, { orgId });
}
