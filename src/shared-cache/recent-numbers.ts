/** The numbers that came last, at most `limit`: each costs the same, however many came before it. */
export class RecentNumbers {
  readonly #limit: number;
  readonly #known = new Set<number>();
  /** In the order in which they came; `#oldest` is where the next one goes once it is full. */
  readonly #ring: number[] = [];
  #oldest = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  has(number: number): boolean {
    return this.#known.has(number);
  }

  add(number: number): void {
    if (this.#known.has(number)) return;
    this.#known.add(number);
    const dropped = this.#ring[this.#oldest];
    if (dropped !== undefined) this.#known.delete(dropped);
    this.#ring[this.#oldest] = number;
    this.#oldest = (this.#oldest + 1) % this.#limit;
  }
}
