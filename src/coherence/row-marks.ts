/** The most rows whose marks are remembered; entries of a shared cache that are older are not used. */
const maxMarks = 65_536;

/** The marks of the rows of the change log that were read, oldest first. */
export class RowMarks {
  readonly #marks = new Map<number, string>();

  remember(seq: number, mark: string): void {
    this.#marks.set(seq, mark);
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > maxMarks && oldest !== undefined) this.#marks.delete(oldest);
  }

  /** Whether that very row was read. */
  has(seq: number, mark: string): boolean {
    return this.#marks.get(seq) === mark;
  }

  /** Whether no other row was read under that number. */
  allow(seq: number, mark: string): boolean {
    return (this.#marks.get(seq) ?? mark) === mark;
  }

  clear(): void {
    this.#marks.clear();
  }
}
