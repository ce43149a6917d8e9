import type { LogPage } from "../store/change-log.ts";
import { ChangeIds } from "./change-ids.ts";
import { Fences } from "./fences.ts";
import { alignPage, type LogPosition } from "./log-position.ts";
import { type LostHistory, tellLoss } from "./lost-history.ts";
import { laterOf, type Moment } from "./moment.ts";
import type { FlushReason, PageOutcome, PageRequest } from "./page-outcome.ts";
import type { Stamped } from "./stamped.ts";
import { Unconfirmed } from "./unconfirmed.ts";

/**
 * What this worker knows of the change log: which history it follows, how far it has read, and per organisation the
 * fence, the newest change that it knows of. A snapshot older than its fence is never used, wherever it comes from.
 */
export class History {
  /** The history that was lost last; `undefined` while none was. */
  lost: LostHistory | undefined;
  /** Counts flushes; a read that began under another generation is not used. */
  generation = 0;
  #following: LogPosition | undefined;
  #leaseStart: Moment | undefined;
  /** When the last page, or the snapshot that this history began with, was taken in. */
  #lastReplyMs = Number.NEGATIVE_INFINITY;
  readonly #fences = new Fences();
  readonly #unconfirmed = new Unconfirmed();
  readonly #changeIds = new ChangeIds();

  /** The newest row that this worker has read, in the history that it follows; `undefined` before the first one. */
  get following(): LogPosition | undefined {
    return this.#following;
  }

  /** Whether this worker has read every change up to `seq`. */
  hasReadUpTo(seq: number): boolean {
    return this.#following !== undefined && this.#following.seq >= seq;
  }

  /** When the last request was sent that showed this worker the head of the log: its lease begins there. */
  get leaseStart(): Moment | undefined {
    return this.#leaseStart;
  }

  /** Of how many organisations the log has shown a change that is still remembered. */
  get fenceCount(): number {
    return this.#fences.size;
  }

  /** Of how many organisations a snapshot was taken in that the log has not shown yet. */
  get unconfirmedCount(): number {
    return this.#unconfirmed.size;
  }

  /** What a snapshot of the organisation must have seen at least. */
  fence(orgId: string): number {
    return Math.max(this.#fences.of(orgId), this.#unconfirmed.fence(orgId));
  }

  /** The use rule, without its lease: of no other history as far as is known, and not older than a change that is known. */
  isAdmissible(snapshot: Stamped): boolean {
    return (
      snapshot.incarnation === this.#following?.incarnation &&
      snapshot.generation === this.generation &&
      this.#changeIds.allow(snapshot.asOf, snapshot.changeId) &&
      snapshot.asOf >= this.fence(snapshot.orgId)
    );
  }

  /**
   * Whether a snapshot may be of a history that was lost. One that the log has not shown yet may be while its read was
   * under way: a page that came meanwhile, what this history began with, or another read of the organisation that was
   * taken in meanwhile, does not know it either. One that the log should have shown may be when the row that it was read
   * at is not known, or not any more. The log decides, read once more.
   */
  needsConfirmation(snapshot: Omit<Stamped, "generation">, sentAt: Moment): boolean {
    if (this.hasReadUpTo(snapshot.asOf)) return !this.hasRead(snapshot);
    return Math.max(this.#lastReplyMs, this.#unconfirmed.sinceMs(snapshot.orgId)) >= sentAt.monotonicMs;
  }

  /**
   * A snapshot was taken in: a worker that held one never takes an older one again, even when memory has forgotten this one. Up
   * to where this worker has read, the log has raised the fence of every organisation that changed; only what is ahead of
   * it needs a fence of its own.
   */
  noteTaken({ orgId, asOf, changeId }: Pick<Stamped, "orgId" | "asOf" | "changeId">, nowMs: number): void {
    if (!this.hasReadUpTo(asOf)) this.#unconfirmed.note(orgId, { seq: asOf, changeId, sinceMs: nowMs });
  }

  /** Whether a snapshot was taken in that the log has not shown yet. */
  get hasUnconfirmed(): boolean {
    return this.#unconfirmed.size > 0;
  }

  /**
   * A snapshot is the newest sign of life of the database. The first one ever decides which history this worker
   * follows; one that shows the head where this worker stands renews the lease, unless a newer one was taken in: of two
   * that disagree one may be of a lost history, and the lease would cover both. It never moves the position: the rows
   * between would be skipped. A read that began before everything was forgotten says nothing.
   */
  observe(snapshot: Omit<Stamped, "orgId" | "generation">, generation: number, sentAt: Moment, nowMs: number): void {
    if (generation !== this.generation) return;
    const { incarnation, asOf, changeId } = snapshot;
    if (this.#following === undefined) {
      this.#lastReplyMs = nowMs;
      this.#follow({ incarnation, seq: asOf, changeId });
    }
    if (!this.hasUnconfirmed && this.#isAt({ incarnation, seq: asOf, changeId })) {
      this.#leaseStart = laterOf(sentAt, this.#leaseStart);
    }
  }

  /** Whether this worker has read the very row that a snapshot was read at: it is of this history, not of a lost one. */
  hasRead({ incarnation, asOf, changeId }: Pick<Stamped, "incarnation" | "asOf" | "changeId">): boolean {
    return incarnation === this.#following?.incarnation && this.#changeIds.has(asOf, changeId);
  }

  /** Whether a snapshot is older than a change that is known, or than every row whose change id is: it cannot be judged. */
  isOutdated({ incarnation, orgId, asOf }: Pick<Stamped, "incarnation" | "orgId" | "asOf">): boolean {
    const oldest = Math.max(this.fence(orgId), this.#changeIds.oldestSeq);
    return incarnation === this.#following?.incarnation && asOf < oldest;
  }

  /**
   * Takes in one page. A head below a snapshot that was taken in earlier is another history when the page was asked for
   * later; else it cannot be told (`behind`), and the log is to be read again. Nor can it be told which of two histories
   * is the older one when a page that was overtaken has another change id for a row that is known, or when one that was asked
   * for before a snapshot was taken in does not have its row (`contradicted`): nothing is known any more then. `onChange` is
   * told of every change in the page, after its fence was raised.
   */
  applyPage(
    read: LogPage,
    { sentAt, generation }: PageRequest,
    nowMs: number,
    onChange: (orgId: string, seq: number) => void,
  ): PageOutcome {
    this.#lastReplyMs = nowMs;
    if (generation !== this.generation) return "overtaken";
    if (this.#following === undefined && read.afterChangeId !== null) {
      this.#follow({ incarnation: read.incarnation, seq: read.after, changeId: read.afterChangeId });
    }
    const page = this.#following && alignPage(this.#following, read);
    if (page === undefined) return this.#judgeOvertaken(read);
    if (page.incarnation !== this.#following?.incarnation) return this.#flush(page, sentAt, "other_incarnation");
    if (page.afterChangeId !== this.#following.changeId || page.head < this.#following.seq) {
      return this.#flush(page, sentAt, "other_history");
    }
    for (const { seq, changeId, orgId } of page.changes) {
      if (seq !== this.#following.seq + 1) return this.#flush(page, sentAt, "other_history");
      this.#following = { incarnation: page.incarnation, seq, changeId };
      this.#changeIds.remember(seq, changeId);
      this.#fences.raise(orgId, seq);
      onChange(orgId, seq);
    }
    if (!this.hasReadUpTo(page.head)) return "more";
    const { newest } = this.#unconfirmed;
    if (newest !== undefined && newest.seq > page.head) {
      return sentAt.monotonicMs > newest.sinceMs ? this.#flush(page, sentAt, "other_history") : "behind";
    }
    const isShown = (seq: number, changeId: string): boolean => this.#changeIds.has(seq, changeId);
    if (this.#unconfirmed.isMissing(isShown, sentAt.monotonicMs)) return this.#contradict();
    this.#unconfirmed.clear();
    this.#leaseStart = laterOf(sentAt, this.#leaseStart);
    return "current";
  }

  /**
   * Forgets all fences of the log but the newest `keep`, for which the floor stands in. Sound because a snapshot that
   * passes now is true for every change up to this worker's position: the caller restamps those it holds in the same turn.
   */
  compact(keep: number): void {
    this.#fences.compact(keep);
  }

  /** Begins anew: the next page or snapshot decides which history this worker follows, and is newer than all it knew. */
  reset(): void {
    this.#following = undefined;
    this.#leaseStart = undefined;
    this.#unconfirmed.clear();
    this.#fences.restart(0);
    this.#changeIds.clear();
    this.generation += 1;
  }

  #isAt({ incarnation, seq, changeId }: LogPosition): boolean {
    const following = this.#following;
    return following?.incarnation === incarnation && following.seq === seq && following.changeId === changeId;
  }

  #judgeOvertaken({ changes }: LogPage): PageOutcome {
    if (changes.every(({ seq, changeId }) => this.#changeIds.allow(seq, changeId))) return "overtaken";
    return this.#contradict();
  }

  #contradict(): PageOutcome {
    this.#lose(null);
    this.reset();
    return "contradicted";
  }

  #flush(page: LogPage, sentAt: Moment, reason: FlushReason): FlushReason {
    // A standby that had every change loses none by its promotion.
    if (page.afterChangeId !== this.#following?.changeId || this.hasUnconfirmed) this.#lose(page.head);
    this.#follow({ incarnation: page.incarnation, seq: page.head, changeId: page.headChangeId });
    this.#leaseStart = sentAt;
    return reason;
  }

  #lose(head: number | null): void {
    const known = new Map([...this.#fences.entries(), ...this.#unconfirmed.fences()]);
    this.lost = tellLoss(known, this.#following?.seq ?? 0, head);
  }

  /** Begins a history at that row. What was known of another one is forgotten. */
  #follow(position: LogPosition): void {
    if (this.#following !== undefined) this.generation += 1;
    this.#following = position;
    this.#unconfirmed.clear();
    this.#fences.restart(position.seq);
    this.#changeIds.clear();
    this.#changeIds.remember(position.seq, position.changeId);
  }
}
