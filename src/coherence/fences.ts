/** Per organisation the newest change that is known of. A floor stands in for those that are forgotten. */
export class Fences {
  #floor = 0;
  readonly #seqs = new Map<string, number>();

  get size(): number {
    return this.#seqs.size;
  }

  of(orgId: string): number {
    return this.#seqs.get(orgId) ?? this.#floor;
  }

  /** The organisations of the newest changes, at most `limit`. */
  newest(limit: number): string[] {
    const known = [...this.#seqs].sort(([, a], [, b]) => b - a);
    return known.slice(0, limit).map(([orgId]) => orgId);
  }

  raise(orgId: string, seq: number): void {
    if (seq > this.of(orgId)) this.#seqs.set(orgId, seq);
  }

  /** Forgets those up to `seq`, which becomes the floor. Sound for a worker that has read every change up to it. */
  compact(seq: number): void {
    for (const [orgId, known] of this.#seqs) if (known <= seq) this.#seqs.delete(orgId);
    this.#floor = Math.max(this.#floor, seq);
  }

  /** Forgets all of them. */
  restart(floor: number): void {
    this.#floor = floor;
    this.#seqs.clear();
  }
}
