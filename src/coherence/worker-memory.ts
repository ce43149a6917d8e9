import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import type { LogPage } from "../store/change-log.ts";
import { History } from "./history.ts";
import { laterOf, overdueMs, readMoment } from "./moment.ts";
import type { OpenedSnapshot } from "./opened-snapshot.ts";
import { isFlush, type PageOutcome, type PageRequest } from "./page-outcome.ts";

/**
 * What a worker remembers, and the only place that decides whether it may be used. A snapshot is installed or handed out
 * only if, in the same synchronous turn, it is fresh: admissible to the history, and under a lease that has not ended.
 */
export class WorkerMemory {
  readonly history: History = new History();
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxFences: number;
  readonly #snapshots: LRUCache<string, OpenedSnapshot>;
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Whether everything was forgotten since the log was read last: changes in between are read by no page. */
  #hasGap = false;

  constructor(clock: Clock, leaseMs: number, maxOrgs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#maxFences = 2 * maxOrgs;
    this.#snapshots = new LRUCache({ max: maxOrgs });
  }

  get size(): number {
    return this.#snapshots.size;
  }

  /** Whether a change of the organisation matters here: it is remembered, or a call that is under way watches it. */
  holds(orgId: string): boolean {
    return this.#snapshots.has(orgId) || this.#watchers.has(orgId);
  }

  /** Whether no change matters here. */
  get isIdle(): boolean {
    return this.#snapshots.size === 0 && this.#watchers.size === 0;
  }

  /** Calls `onChange` after every change of the organisation, until the returned function is called. */
  watch(orgId: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(orgId) ?? new Set();
    this.#watchers.set(orgId, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0 && this.#watchers.get(orgId) === watchers) this.#watchers.delete(orgId);
    };
  }

  /** The snapshot that is admissible, whether or not its lease has ended. */
  find(orgId: string): OpenedSnapshot | undefined {
    const snapshot = this.#snapshots.get(orgId);
    return snapshot !== undefined && this.history.isAdmissible(snapshot) ? snapshot : undefined;
  }

  /**
   * Whether what a call holds of an organisation is admissible. What memory has dropped must be of a row that the log has
   * shown and whose change id is still known: it may be of a history that was lost.
   */
  admits(held: OpenedSnapshot): boolean {
    const isRemembered = this.#snapshots.peek(held.orgId) === held;
    return this.history.isAdmissible(held) && (isRemembered || this.history.hasRead(held));
  }

  /** What is fresh of an organisation, the rule applied once; `held` is what a call holds of it, which memory may have dropped. */
  findFresh(orgId: string, held: OpenedSnapshot | undefined): OpenedSnapshot | undefined {
    const snapshot = this.find(orgId) ?? (held !== undefined && this.admits(held) ? held : undefined);
    return snapshot !== undefined && this.overdueMs(snapshot) < 0 ? snapshot : undefined;
  }

  /** Remembers `snapshot` if it is fresh. Returns `true` if it was. */
  install(snapshot: OpenedSnapshot): boolean {
    if (!this.isFresh(snapshot)) return false;
    this.history.noteTaken(snapshot, this.#clock.monotonicMs());
    this.#snapshots.set(snapshot.orgId, snapshot);
    this.#boundFences();
    return true;
  }

  /** The use rule: admissible, and its lease has not ended. */
  isFresh(snapshot: OpenedSnapshot): boolean {
    return this.history.isAdmissible(snapshot) && this.overdueMs(snapshot) < 0;
  }

  /** Milliseconds since the lease of `snapshot` ended: its own, or the worker's where that began later. */
  overdueMs(snapshot: OpenedSnapshot): number {
    const began = laterOf(snapshot.readAt, this.history.leaseStart);
    return began === undefined ? Number.POSITIVE_INFINITY : overdueMs(began, this.#leaseMs, readMoment(this.#clock));
  }

  /** Milliseconds left of the worker's own lease; 0 when it has ended or never begun. */
  leaseLeftMs(): number {
    const { leaseStart } = this.history;
    return leaseStart === undefined ? 0 : Math.max(0, -overdueMs(leaseStart, this.#leaseMs, readMoment(this.#clock)));
  }

  /** Takes in a page of the change log, and drops at once what it outdates. */
  applyPage(page: LogPage, request: PageRequest): PageOutcome {
    const { hasUnconfirmed } = this.history;
    const changed = new Set<string>();
    const outcome = this.history.applyPage(page, request, this.#clock.monotonicMs(), (orgId, seq) => {
      const snapshot = this.#snapshots.peek(orgId);
      if (snapshot !== undefined && snapshot.asOf < seq) this.#snapshots.delete(orgId);
      if (this.#watchers.has(orgId)) changed.add(orgId);
    });
    if (isFlush(outcome)) this.#snapshots.clear();
    if (this.history.hasUnconfirmed && (outcome === "behind" || outcome === "more")) this.#dropUnconfirmed();
    if (hasUnconfirmed) this.#dropInadmissible();
    this.#boundFences();
    const isAnew = isFlush(outcome) || (this.#hasGap && outcome === "current");
    if (isAnew) this.#hasGap = false;
    for (const orgId of isAnew ? this.#watchers.keys() : changed) this.#tell(orgId);
    return outcome;
  }

  /** Forgets everything; who watches is told once more. */
  clear(): void {
    const watchers = [...this.#watchers.values()].flatMap((each) => [...each]);
    this.#snapshots.clear();
    this.#watchers.clear();
    for (const onChange of watchers) onChange();
  }

  #tell(orgId: string): void {
    for (const onChange of this.#watchers.get(orgId) ?? []) onChange();
  }

  /** What may be of a lost history is not handed out while that is being found out. */
  #dropUnconfirmed(): void {
    for (const [orgId, { asOf }] of this.#snapshots.entries()) {
      if (!this.history.hasReadUpTo(asOf)) this.#snapshots.delete(orgId);
    }
  }

  /** What the log has shown to be of a lost history: its change id is known now and would be forgotten one day. */
  #dropInadmissible(): void {
    for (const [orgId, snapshot] of this.#snapshots.entries()) {
      if (!this.history.isAdmissible(snapshot)) this.#snapshots.delete(orgId);
    }
  }

  #boundFences(): void {
    if (this.history.fenceCount > this.#maxFences) {
      this.#dropInadmissible();
      this.#restampSnapshots();
      this.history.compact(this.#maxFences / 2);
    }
    if (this.history.unconfirmedCount <= this.#maxFences) return;
    // Snapshots are read while the log is not: only a new beginning bounds what is known of them.
    this.history.reset();
    this.#snapshots.clear();
    this.#hasGap = true;
  }

  /** What is admissible is true for every change that was read. */
  #restampSnapshots(): void {
    const { following } = this.history;
    if (following === undefined) return;
    const { seq: asOf, changeId } = following;
    for (const snapshot of this.#snapshots.values()) {
      if (snapshot.asOf < asOf) Object.assign(snapshot, { asOf, changeId });
    }
  }
}
