import { maxWindowRows } from "../store/change-log.ts";

/** The change ids of the newest rows of the change log that were read, one behind the other. */
export class ChangeIds {
  readonly #changeIds = new Map<number, string>();

  /** Rows are numbered without a gap, so that the oldest one is known by its number: a search would grow with the log. */
  remember(seq: number, changeId: string): void {
    this.#changeIds.set(seq, changeId);
    this.#changeIds.delete(seq - maxWindowRows);
  }

  /** Whether that very row was read. */
  has(seq: number, changeId: string): boolean {
    return this.#changeIds.get(seq) === changeId;
  }

  /** Whether no other row was read under that number. */
  allow(seq: number, changeId: string): boolean {
    return (this.#changeIds.get(seq) ?? changeId) === changeId;
  }

  clear(): void {
    this.#changeIds.clear();
  }
}
