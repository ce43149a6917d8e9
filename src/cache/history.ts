import type { LogPage } from "../vault/key-store.ts";
import { laterOf, type Moment } from "./moment.ts";

/** What a snapshot must say of itself to be judged. */
export interface Stamped {
  readonly orgId: string;
  readonly incarnation: string;
  readonly generation: number;
  readonly snap: number;
}

/** What became of a page of the change log. */
export type Learned = "current" | "more" | "overtaken" | FlushReason;

/** Why everything remembered was dropped. */
export type FlushReason = "other_incarnation" | "other_history";

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
  #floor = 0;
  #heardAt: Moment | undefined;
  readonly #fences = new Map<string, number>();

  get isStarted(): boolean {
    return this.#incarnation !== undefined;
  }

  /** The newest change that this worker has read of. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** When the last request was sent that showed this worker the head of the log: its lease begins there. */
  get heardAt(): Moment | undefined {
    return this.#heardAt;
  }

  get fenceCount(): number {
    return this.#fences.size;
  }

  fence(orgId: string): number {
    return this.#fences.get(orgId) ?? this.#floor;
  }

  /** The use rule, without its lease: of this history, and not older than a change that is known. */
  admits(snapshot: Stamped): boolean {
    return (
      snapshot.incarnation === this.#incarnation &&
      snapshot.generation === this.generation &&
      snapshot.snap >= this.fence(snapshot.orgId)
    );
  }

  /** Whoever holds a snapshot never takes an older one again, also when memory has forgotten this one. */
  raiseFence(orgId: string, seq: number): void {
    if (seq > this.fence(orgId)) this.#fences.set(orgId, seq);
  }

  /**
   * A snapshot is the newest sign of life of the database. The first one ever decides which history this worker
   * follows; one that shows the head where this worker stands renews the lease. It never moves `lastSeq`: the rows
   * between would be skipped.
   */
  hear(snapshot: { incarnation: string; snap: number; mark: string }, generation: number, sentAt: Moment): void {
    if (!this.isStarted) this.#restart(snapshot.incarnation, snapshot.snap, snapshot.mark);
    else if (generation !== this.generation || snapshot.incarnation !== this.#incarnation) return;
    if (snapshot.snap === this.#lastSeq && snapshot.mark === this.#lastMark) {
      this.#heardAt = laterOf(sentAt, this.#heardAt);
    }
  }

  /** Whether a snapshot shows another mark where this worker stands: the database has been given another history. */
  contradicts(snapshot: { snap: number; mark: string }): boolean {
    return snapshot.snap === this.#lastSeq && snapshot.mark !== this.#lastMark;
  }

  /** Takes in one page. `onChange` hears of every change in it, after its fence was raised. */
  learn(page: LogPage, sentAt: Moment, onChange: (orgId: string, seq: number) => void): Learned {
    if (!this.isStarted && page.afterMark !== null) this.#restart(page.incarnation, page.after, page.afterMark);
    if (page.after !== this.#lastSeq) return "overtaken";
    if (page.incarnation !== this.#incarnation) return this.#flush(page, sentAt, "other_incarnation");
    if (page.afterMark !== this.#lastMark || page.head < this.#lastSeq)
      return this.#flush(page, sentAt, "other_history");
    for (const { seq, mark, orgId } of page.changes) {
      if (seq !== this.#lastSeq + 1) return this.#flush(page, sentAt, "other_history");
      this.#lastSeq = seq;
      this.#lastMark = mark;
      this.raiseFence(orgId, seq);
      onChange(orgId, seq);
    }
    if (this.#lastSeq < page.head) return "more";
    this.#heardAt = laterOf(sentAt, this.#heardAt);
    return "current";
  }

  /**
   * Forgets fences that the floor can stand in for. Sound because this worker has read every change up to `lastSeq`:
   * a snapshot that passes now is true for `lastSeq` too, and the caller restamps those it holds in the same turn.
   */
  compact(): void {
    for (const [orgId, seq] of this.#fences) if (seq <= this.#lastSeq) this.#fences.delete(orgId);
    this.#floor = Math.max(this.#floor, this.#lastSeq);
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
    this.#floor = seq;
    this.#fences.clear();
  }
}
