import type { Clock } from "../clock.ts";
import type { OpenedSnapshot } from "../coherence/opened-snapshot.ts";
import type { SnapshotCache } from "../coherence/snapshot-cache.ts";
import type { Deadline } from "../deadline.ts";
import type { SlotFailure } from "../errors.ts";
import { type ChosenSlot, isFailure, type Outcome } from "./chosen-slot.ts";
import type { KeyChooser } from "./key-chooser.ts";
import type { KeyMarks } from "./key-marks.ts";
import { KeyRefusals } from "./key-refusals.ts";
import { isDecided, keepsChanging, LateFallback, maxAsks } from "./late-fallback.ts";
import type { ResolveOptions } from "./resolver.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import type { BoundSlot } from "./slot-binder.ts";
import { SlotReads } from "./slot-reads.ts";
import { isStillOpen, mayOpen } from "./still-open.ts";
import type { UseNotes } from "./use-notes.ts";

/** Decides what serves slots, for a new call and for each request of one that is under way. */
export class SlotDecisions {
  readonly settings: ResolverSettings;
  readonly cache: SnapshotCache;
  readonly clock: Clock;
  readonly marks: KeyMarks;
  readonly refusals: KeyRefusals;
  readonly #chooser: KeyChooser;
  readonly #late: LateFallback;
  readonly #reads: SlotReads;
  readonly #closing: AbortSignal;

  constructor(
    clock: Clock,
    cache: SnapshotCache,
    chooser: KeyChooser,
    settings: ResolverSettings,
    marks: KeyMarks,
    notes: UseNotes,
    closing: AbortSignal,
  ) {
    this.clock = clock;
    this.cache = cache;
    this.settings = settings;
    this.marks = marks;
    this.#reads = new SlotReads(clock, cache, chooser, settings, closing);
    this.refusals = new KeyRefusals(clock, settings, marks, notes, this.#reads);
    this.#chooser = chooser;
    this.#late = new LateFallback(clock, cache, chooser, settings.leaseMs);
    this.#closing = closing;
  }

  /** Decides for slots that a call begins with, and tells of them. */
  async resolve(
    orgId: string,
    slots: readonly (BoundSlot | SlotFailure)[],
    atLeast: number | undefined,
    deadline: Deadline,
  ): Promise<readonly Outcome[]> {
    const bound = slots.filter((slot): slot is BoundSlot => !isFailure(slot));
    const request = this.#reads.toRequest(
      bound.map(({ provider }) => provider.id),
      atLeast,
    );
    for (let asks = 1; asks <= maxAsks; asks += 1) {
      const answer =
        bound.length === 0
          ? undefined
          : (this.cache.hit(orgId, request) ?? (await this.#reads.read(orgId, request, deadline)));
      const chosen = slots.map((slot) => (isFailure(slot) ? slot : this.#chooser.choose(orgId, slot, answer)));
      const outcomes = isDecided(chosen)
        ? chosen
        : await this.#late.settle(orgId, chosen, bound, answer, request, deadline);
      if (outcomes === undefined) continue;
      for (const [index, slot] of slots.entries()) {
        if (!isFailure(slot)) this.#chooser.report(orgId, slot, outcomes[index] as Outcome, answer);
      }
      return outcomes;
    }
    throw keepsChanging(orgId);
  }

  /**
   * What serves a slot now, without a wait; `undefined` where something must be read.
   *
   * @throws ByokError `closed`
   */
  peek(current: ChosenSlot): Outcome | undefined {
    this.#closing.throwIfAborted();
    const { orgId, bound, snapshot: held, serving } = current;
    const snapshot = this.cache.peek(orgId, held);
    if (snapshot === undefined) return undefined;
    const isMarked = this.marks.failureOf(serving.secretId) !== undefined;
    if (snapshot === held && serving.source === "byok" && !isMarked) return current;
    const answer = { snapshot, overdueMs: 0 };
    const recalled = this.#late.recall(current, answer);
    if (recalled !== undefined) return recalled;
    if (mayOpen(snapshot, current)) {
      return isStillOpen(snapshot, current) && !isMarked ? { ...current, snapshot } : undefined;
    }
    return this.#chooser.chooseNow(orgId, bound, answer);
  }

  /** What serves a slot now, read first where it must be. Rejects with the reason of `signal`. */
  async decide(current: ChosenSlot, signal: AbortSignal | undefined): Promise<Outcome> {
    const { orgId, bound } = current;
    const deadline = this.startDeadline(orgId, signal === undefined ? {} : { signal });
    deadline.throwIfEnded();
    const request = this.#reads.toRequest([bound.provider.id], 0);
    for (let asks = 1; asks <= maxAsks; asks += 1) {
      const answer = this.cache.hit(orgId, request) ?? (await this.#reads.read(orgId, request, deadline));
      const isMarked = this.marks.failureOf(current.serving.secretId) !== undefined;
      if (answer?.overdueMs === 0 && isStillOpen(answer.snapshot, current) && !isMarked) {
        return { ...current, snapshot: answer.snapshot };
      }
      const recalled = this.#late.recall(current, answer);
      if (recalled !== undefined) return recalled;
      const chosen = this.#chooser.choose(orgId, bound, answer);
      if (!(chosen instanceof Promise)) return chosen;
      const outcomes = await this.#late.settle(orgId, [chosen], [bound], answer, request, deadline);
      if (outcomes !== undefined) return outcomes[0] as Outcome;
    }
    throw keepsChanging(orgId);
  }

  /** What serves a slot of which nothing fresh is known, as a new call would be served while the store does not answer. */
  judgeLastKnown(current: ChosenSlot): Outcome | undefined {
    this.#closing.throwIfAborted();
    const { orgId, bound } = current;
    const answer = this.cache.lastKnown(orgId, 0);
    return this.#late.recall(current, answer) ?? this.#chooser.chooseNow(orgId, bound, answer);
  }

  /** What serves a slot whose key is refused, or was, by what its call holds; `undefined`: it goes on as it is. */
  judgeRefused(current: ChosenSlot, snapshot: OpenedSnapshot): Outcome | undefined {
    const { orgId, bound, serving } = current;
    const wasRefused = serving.standsInFor !== undefined;
    if (!wasRefused && this.marks.failureOf(serving.secretId) === undefined) return undefined;
    const answer = { snapshot, overdueMs: 0 };
    return this.#late.recall(current, answer) ?? this.#chooser.chooseNow(orgId, bound, answer);
  }

  /** As {@link SlotDecisions.judgeRefused}, where `fallback` answers later; what has changed meanwhile is the caller's to see. */
  async judgeRefusedLater(current: ChosenSlot, snapshot: OpenedSnapshot, signal?: AbortSignal): Promise<Outcome> {
    const { orgId, bound } = current;
    const deadline = this.startDeadline(orgId, signal === undefined ? {} : { signal });
    return await deadline.race(Promise.resolve(this.#chooser.choose(orgId, bound, { snapshot, overdueMs: 0 })));
  }

  /** Whether something fresh is known of the organisation. */
  isKnown({ orgId, snapshot }: ChosenSlot): boolean {
    return this.cache.peek(orgId, snapshot) !== undefined;
  }

  /** Whether the organisation is known to have no key of the slot's provider any more. */
  isRemoved({ orgId, provider }: ChosenSlot): boolean {
    const snapshot = this.cache.peek(orgId, undefined);
    return snapshot !== undefined && !snapshot.keys.has(provider.id);
  }

  startDeadline(orgId: string, options: ResolveOptions): Deadline {
    return this.#reads.startDeadline(orgId, options);
  }
}
