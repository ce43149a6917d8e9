import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import type { LogPage } from "../store/key-store.ts";
import type { HeldSnapshot } from "./held-snapshot.ts";
import { History } from "./history.ts";
import { type Asked, isFlush, type Learned } from "./learned.ts";
import { laterOf, momentOf, overdueMs } from "./moment.ts";

/**
 * What a worker remembers, and the only place that decides whether it may be used. A snapshot is installed or handed out
 * only if, in the same synchronous turn, the history admits it and a lease that covers it has not ended.
 */
export class WorkerMemory {
  readonly history: History = new History();
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxFences: number;
  readonly #snapshots: LRUCache<string, HeldSnapshot>;

  constructor(clock: Clock, leaseMs: number, maxOrgs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#maxFences = 2 * maxOrgs;
    this.#snapshots = new LRUCache({ max: maxOrgs });
  }

  get size(): number {
    return this.#snapshots.size;
  }

  holds(orgId: string): boolean {
    return this.#snapshots.has(orgId);
  }

  /** The snapshot that the fence admits, whether or not its lease has ended. */
  find(orgId: string): HeldSnapshot | undefined {
    const held = this.#snapshots.get(orgId);
    return held !== undefined && this.history.admits(held) ? held : undefined;
  }

  /** Remembers `held` if the history admits it and its lease has not ended; says whether it did. */
  install(held: HeldSnapshot): boolean {
    if (!this.mayBeHandedOut(held)) return false;
    this.history.raiseFence(held.orgId, held.snap);
    this.history.noteAhead(held, this.#clock.monotonicMs());
    this.#snapshots.set(held.orgId, held);
    this.#boundFences();
    return true;
  }

  mayBeHandedOut(held: HeldSnapshot): boolean {
    return this.history.admits(held) && this.overdueMs(held) < 0;
  }

  /** Milliseconds since the lease of `held` ended: its own, or the worker's where that began later. */
  overdueMs(held: HeldSnapshot): number {
    const began = laterOf(held.readAt, this.history.heardAt);
    return began === undefined ? Number.POSITIVE_INFINITY : overdueMs(began, this.#leaseMs, momentOf(this.#clock));
  }

  /** Milliseconds left of the worker's own lease; 0 when it has ended or never begun. */
  leaseLeftMs(): number {
    const { heardAt } = this.history;
    return heardAt === undefined ? 0 : Math.max(0, -overdueMs(heardAt, this.#leaseMs, momentOf(this.#clock)));
  }

  /** Takes in a page of the change log, and drops at once what it outdates. */
  learn(page: LogPage, asked: Asked): Learned {
    const { isAhead } = this.history;
    const learned = this.history.learn(page, asked, this.#clock.monotonicMs(), (orgId, seq) => {
      const held = this.#snapshots.peek(orgId);
      if (held !== undefined && held.snap < seq) this.#snapshots.delete(orgId);
    });
    if (isFlush(learned)) this.#snapshots.clear();
    if (learned === "behind" || learned === "more") this.#dropAhead();
    if (isAhead) this.#dropRefused();
    this.#boundFences();
    return learned;
  }

  clear(): void {
    this.#snapshots.clear();
  }

  /** What may be of a lost history is not handed out while that is being found out. */
  #dropAhead(): void {
    for (const [orgId, { snap }] of this.#snapshots.entries()) {
      if (snap > this.history.lastSeq) this.#snapshots.delete(orgId);
    }
  }

  /** What the log has shown to be of a lost history: its mark is known now and would be forgotten one day. */
  #dropRefused(): void {
    for (const [orgId, held] of this.#snapshots.entries()) {
      if (!this.history.admits(held)) this.#snapshots.delete(orgId);
    }
  }

  #boundFences(): void {
    if (this.history.fenceCount <= this.#maxFences) return;
    const { lastSeq, lastMark } = this.history;
    this.#dropRefused();
    for (const held of this.#snapshots.values()) {
      if (held.snap < lastSeq) Object.assign(held, { snap: lastSeq, mark: lastMark });
    }
    this.history.compact();
    if (this.history.fenceCount <= this.#maxFences) return;
    // Snapshots are read while the log is not: only a new beginning bounds what is known of them.
    this.history.forget();
    this.#snapshots.clear();
  }
}
