import type { OpenedSnapshot } from "../coherence/opened-snapshot.ts";
import type { ChosenSlot, Outcome } from "./chosen-slot.ts";
import type { SlotDecisions } from "./slot-decisions.ts";
import { toStaleEvent } from "./slot-events.ts";

/**
 * What a slot goes on with while the database is away: an outage hangs up no call, for as long as `callStaleMs` says, and never
 * past a change that is known. A key that its provider refuses meanwhile is judged as ever.
 */
export class SlotOutage {
  readonly #decisions: SlotDecisions;
  #hasToldStale = false;

  constructor(decisions: SlotDecisions) {
    this.#decisions = decisions;
  }

  /** `undefined`: there is nothing to go on with, or `fallback` would have to be waited for. */
  judge(held: ChosenSlot): Outcome | undefined {
    const snapshot = this.#keptSnapshot(held);
    if (snapshot === undefined) return undefined;
    this.#decisions.cache.readBehind(held.orgId);
    this.#tellStale(held, snapshot);
    return this.#decisions.judgeRefused(held, snapshot) ?? (this.#isRefused(held) ? undefined : held);
  }

  /** The same of a key that is refused, once `fallback` has answered; `undefined` where that is not to be waited for. */
  async judgeLater(held: ChosenSlot, signal: AbortSignal | undefined): Promise<Outcome | undefined> {
    const snapshot = this.#keptSnapshot(held);
    if (snapshot === undefined || !this.#isRefused(held)) return undefined;
    const judged = await this.#decisions.judgeRefusedLater(held, snapshot, signal);
    return this.#keptSnapshot(held) === snapshot && this.#isRefused(held) ? judged : undefined;
  }

  #keptSnapshot({ snapshot, shown: { stale } }: ChosenSlot): OpenedSnapshot | undefined {
    const { cache, settings } = this.#decisions;
    if (snapshot === undefined || stale || !cache.memory.admits(snapshot)) return undefined;
    return cache.memory.overdueMs(snapshot) < settings.callStaleMs ? snapshot : undefined;
  }

  #isRefused({ serving }: ChosenSlot): boolean {
    return this.#decisions.marks.failureOf(serving.secretId) !== undefined;
  }

  #tellStale(held: ChosenSlot, snapshot: OpenedSnapshot): void {
    if (this.#hasToldStale) return;
    this.#hasToldStale = true;
    const { cache, settings } = this.#decisions;
    settings.onEvent(toStaleEvent(held, cache.memory.overdueMs(snapshot)));
  }
}
