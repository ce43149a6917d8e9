import { maxWindowRows } from "../store/change-log.ts";

/**
 * The change ids of the newest rows of the change log that were read, one behind the other: a ring, so that a row costs
 * the same after a million of them.
 */
export class ChangeIds {
  readonly #ring: string[] = [];
  /** The number of the row that the ring began with. */
  #firstSeq = 0;
  #lastSeq = -1;

  /** Of how many rows the change id is known. */
  get size(): number {
    return this.#ring.length;
  }

  /** The oldest row whose change id is known. */
  get oldestSeq(): number {
    return this.#lastSeq - this.#ring.length + 1;
  }

  /** Rows are numbered without a gap. One that follows no other begins anew. */
  remember(seq: number, changeId: string): void {
    if (seq !== this.#lastSeq + 1) {
      this.clear();
      this.#firstSeq = seq;
    }
    this.#lastSeq = seq;
    this.#ring[(seq - this.#firstSeq) % maxWindowRows] = changeId;
  }

  /** Whether that very row was read. */
  has(seq: number, changeId: string): boolean {
    return this.#at(seq) === changeId;
  }

  /** Whether no other row was read under that number. */
  allow(seq: number, changeId: string): boolean {
    return (this.#at(seq) ?? changeId) === changeId;
  }

  clear(): void {
    this.#ring.length = 0;
    this.#firstSeq = 0;
    this.#lastSeq = -1;
  }

  #at(seq: number): string | undefined {
    const isKnown = seq <= this.#lastSeq && seq >= this.oldestSeq;
    return isKnown ? this.#ring[(seq - this.#firstSeq) % maxWindowRows] : undefined;
  }
}
