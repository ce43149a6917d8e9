import type { LogPage } from "../store/key-store.ts";
import { Fences } from "./fences.ts";
import type { Asked, FlushReason, Learned } from "./learned.ts";
import { laterOf, type Moment } from "./moment.ts";
import { RowMarks } from "./row-marks.ts";

/** What a snapshot must say of itself to be judged. */
export interface Stamped {
  readonly orgId: string;
  readonly incarnation: string;
  readonly generation: number;
  readonly snap: number;
  readonly mark: string;
}

/**
 * What this worker knows of the change log: which history it follows, how far it has read, and per organisation the
 * fence, the newest change that it knows of. A snapshot older than its fence is never used, wherever it comes from.
 */
export class History {
  /** Counts flushes; a read that began under another generation is not used. */
  generation = 0;
  #incarnation: string | undefined;
  #lastSeq = -1;
  #lastMark = "";
  #heardAt: Moment | undefined;
  /** The newest snapshot that was taken in and that the log has not shown yet. */
  #ahead: { readonly seq: number; readonly sinceMs: number } | undefined;
  /** When the last page, or the snapshot that this history began with, was taken in. */
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** Per organisation when such a snapshot was taken in. */
  readonly #aheadOf = new Map<string, number>();
  readonly #fences = new Fences();
  readonly #marks = new RowMarks();

  get isStarted(): boolean {
    return this.#incarnation !== undefined;
  }

  /** The newest change that this worker has read of. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The mark of that change. */
  get lastMark(): string {
    return this.#lastMark;
  }

  /** When the last request was sent that showed this worker the head of the log: its lease begins there. */
  get heardAt(): Moment | undefined {
    return this.#heardAt;
  }

  get fenceCount(): number {
    return this.#fences.size;
  }

  fence(orgId: string): number {
    return this.#fences.of(orgId);
  }

  /** The use rule, without its lease: of no other history as far as is known, and not older than a change that is known. */
  admits(snapshot: Stamped): boolean {
    return (
      snapshot.incarnation === this.#incarnation &&
      snapshot.generation === this.generation &&
      this.#marks.allow(snapshot.snap, snapshot.mark) &&
      snapshot.snap >= this.fence(snapshot.orgId)
    );
  }

  /**
   * Whether a snapshot that the log has not shown yet may be of a history that was lost while its read was under way:
   * a page that came meanwhile, what this history began with, or another read of the organisation that was taken in
   * meanwhile, does not know it either. The log decides, read once more.
   */
  isDoubtful({ orgId, snap }: Pick<Stamped, "orgId" | "snap">, sentAt: Moment): boolean {
    const toldAtMs = Math.max(this.#toldAtMs, this.#aheadOf.get(orgId) ?? Number.NEGATIVE_INFINITY);
    return snap > this.#lastSeq && toldAtMs >= sentAt.monotonicMs;
  }

  /** A snapshot was taken in. The log may not have shown it yet. */
  noteAhead({ orgId, snap }: Pick<Stamped, "orgId" | "snap">, nowMs: number): void {
    if (snap <= this.#lastSeq) return;
    this.#aheadOf.set(orgId, nowMs);
    if (snap > (this.#ahead?.seq ?? -1)) this.#ahead = { seq: snap, sinceMs: nowMs };
  }

  /** Whether a snapshot was taken in that the log has not shown yet. */
  get isAhead(): boolean {
    return this.#ahead !== undefined;
  }

  /** Whoever holds a snapshot never takes an older one again, also when memory has forgotten this one. */
  raiseFence(orgId: string, seq: number): void {
    this.#fences.raise(orgId, seq);
  }

  /**
   * A snapshot is the newest sign of life of the database. The first one ever decides which history this worker
   * follows; one that shows the head where this worker stands renews the lease, unless a newer one was taken in: of two
   * that disagree one may be of a lost history, and the lease would cover both. It never moves `lastSeq`: the rows
   * between would be skipped. A read that began before everything was forgotten says nothing.
   */
  hear(snapshot: Omit<Stamped, "orgId" | "generation">, generation: number, sentAt: Moment, nowMs: number): void {
    if (generation !== this.generation) return;
    if (!this.isStarted) {
      this.#toldAtMs = nowMs;
      this.#restart(snapshot.incarnation, snapshot.snap, snapshot.mark);
    } else if (snapshot.incarnation !== this.#incarnation) return;
    if (!this.isAhead && snapshot.snap === this.#lastSeq && snapshot.mark === this.#lastMark) {
      this.#heardAt = laterOf(sentAt, this.#heardAt);
    }
  }

  /** Whether this worker has read the very row that a snapshot was read at: it is of this history, not of a lost one. */
  hasRead({ incarnation, snap, mark }: { incarnation: string; snap: number; mark: string }): boolean {
    return incarnation === this.#incarnation && this.#marks.has(snap, mark);
  }

  /**
   * Takes in one page. A head below a snapshot that was taken in earlier is another history when the page was asked for
   * later; else nobody can tell (`behind`), and the log is to be read again. Nor can anybody tell which of two histories
   * is the older one when a page that was overtaken has another mark for a row that is known (`contradicted`): nothing is
   * known any more then. `onChange` hears of every change in the page, after its fence was raised.
   */
  learn(read: LogPage, asked: Asked, nowMs: number, onChange: (orgId: string, seq: number) => void): Learned {
    const { sentAt, generation } = asked;
    this.#toldAtMs = nowMs;
    if (generation !== this.generation) return "overtaken";
    if (!this.isStarted && read.afterMark !== null) this.#restart(read.incarnation, read.after, read.afterMark);
    const page = this.#fromHere(read);
    if (page === undefined) {
      const isOther = read.changes.some(({ seq, mark }) => !this.#marks.allow(seq, mark));
      if (isOther) this.forget();
      return isOther ? "contradicted" : "overtaken";
    }
    if (page.incarnation !== this.#incarnation) return this.#flush(page, sentAt, "other_incarnation");
    if (page.afterMark !== this.#lastMark || page.head < this.#lastSeq)
      return this.#flush(page, sentAt, "other_history");
    for (const { seq, mark, orgId } of page.changes) {
      if (seq !== this.#lastSeq + 1) return this.#flush(page, sentAt, "other_history");
      this.#lastSeq = seq;
      this.#lastMark = mark;
      this.#marks.remember(seq, mark);
      this.raiseFence(orgId, seq);
      onChange(orgId, seq);
    }
    if (this.#lastSeq < page.head) return "more";
    if (this.#ahead !== undefined && this.#ahead.seq > page.head) {
      return sentAt.monotonicMs > this.#ahead.sinceMs ? this.#flush(page, sentAt, "other_history") : "behind";
    }
    this.#ahead = undefined;
    this.#aheadOf.clear();
    this.#heardAt = laterOf(sentAt, this.#heardAt);
    return "current";
  }

  /**
   * Forgets fences that the floor can stand in for. Sound because this worker has read every change up to `lastSeq`:
   * a snapshot that passes now is true for `lastSeq` too, and the caller restamps those it holds in the same turn.
   */
  compact(): void {
    this.#fences.compact(this.#lastSeq);
  }

  /** Begins anew: the next page or snapshot decides which history this worker follows, and is newer than all it knew. */
  forget(): void {
    this.#incarnation = undefined;
    this.#lastSeq = -1;
    this.#heardAt = undefined;
    this.#ahead = undefined;
    this.#aheadOf.clear();
    this.#fences.restart(0);
    this.#marks.clear();
    this.generation += 1;
  }

  /** The page from where this worker stands: another read may have brought it further since the page was asked for. */
  #fromHere(page: LogPage): LogPage | undefined {
    if (page.after === this.#lastSeq) return page;
    const here = page.changes.findIndex(({ seq, mark }) => seq === this.#lastSeq && mark === this.#lastMark);
    if (here < 0) return undefined;
    return { ...page, after: this.#lastSeq, afterMark: this.#lastMark, changes: page.changes.slice(here + 1) };
  }

  #flush(page: LogPage, sentAt: Moment, reason: FlushReason): FlushReason {
    this.#restart(page.incarnation, page.head, page.headMark);
    this.#heardAt = sentAt;
    return reason;
  }

  #restart(incarnation: string, seq: number, mark: string): void {
    if (this.isStarted) this.generation += 1;
    this.#incarnation = incarnation;
    this.#lastSeq = seq;
    this.#lastMark = mark;
    this.#ahead = undefined;
    this.#aheadOf.clear();
    this.#fences.restart(seq);
    this.#marks.clear();
    this.#marks.remember(seq, mark);
  }
}
