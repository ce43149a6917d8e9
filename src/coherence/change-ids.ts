/** The most rows whose change ids are remembered; entries of a shared cache that are older are not used. */
const maxChangeIds = 65_536;

/** The change ids of the rows of the change log that were read, oldest first. */
export class ChangeIds {
  readonly #changeIds = new Map<number, string>();

  remember(seq: number, changeId: string): void {
    this.#changeIds.set(seq, changeId);
    const [oldest] = this.#changeIds.keys();
    if (this.#changeIds.size > maxChangeIds && oldest !== undefined) this.#changeIds.delete(oldest);
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
