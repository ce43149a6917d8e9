/** Per organisation the newest change that the log has shown. A floor stands in for those that are forgotten. */
export class Fences {
  #floor = 0;
  readonly #seqs = new Map<string, number>();

  get size(): number {
    return this.#seqs.size;
  }

  of(orgId: string): number {
    return this.#seqs.get(orgId) ?? this.#floor;
  }

  entries(): IterableIterator<[orgId: string, seq: number]> {
    return this.#seqs.entries();
  }

  raise(orgId: string, seq: number): void {
    if (seq > this.of(orgId)) this.#seqs.set(orgId, seq);
  }

  /**
   * Forgets all but the newest `keep`. The newest of those forgotten becomes the floor, and not the head of the log: what others
   * have kept since then is of use for longer.
   */
  compact(keep: number): void {
    if (this.#seqs.size <= keep) return;
    const seqs = Float64Array.from(this.#seqs.values()).sort();
    const floor = seqs[seqs.length - keep - 1] ?? 0;
    for (const [orgId, seq] of this.#seqs) if (seq <= floor) this.#seqs.delete(orgId);
    this.#floor = Math.max(this.#floor, floor);
  }

  /** Forgets all of them. */
  restart(floor: number): void {
    this.#floor = floor;
    this.#seqs.clear();
  }
}
