/** What was taken in, and when. */
interface Taken {
  readonly seq: number;
  readonly changeId: string;
  readonly sinceMs: number;
}

/**
 * Snapshots that were taken in ahead of the log. Each is a fence of its own until the log has shown it: from then on the log
 * has said of every organisation whether it changed, and needs no help.
 */
export class Unconfirmed {
  #newest: Taken | undefined;
  readonly #byOrg = new Map<string, Taken>();

  /** The newest of them, with when it was taken in first; `undefined` while there is none. */
  get newest(): Taken | undefined {
    return this.#newest;
  }

  /** Of how many organisations there is one. */
  get size(): number {
    return this.#byOrg.size;
  }

  note(orgId: string, taken: Taken): void {
    this.#byOrg.set(orgId, taken);
    if (this.#newest === undefined || taken.seq > this.#newest.seq) this.#newest = taken;
  }

  /** The organisation's fence; 0 where it has none. */
  fence(orgId: string): number {
    return this.#byOrg.get(orgId)?.seq ?? 0;
  }

  /** When the organisation's was taken in; never, where it has none. */
  sinceMs(orgId: string): number {
    return this.#byOrg.get(orgId)?.sinceMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Every organisation's fence. */
  fences(): [orgId: string, seq: number][] {
    return [...this.#byOrg].map(([orgId, { seq }]) => [orgId, seq]);
  }

  /**
   * Whether a log that reaches as far does not have the row of one, although it was asked for before that was taken in: of two
   * histories one is lost, and it cannot be told which. What was asked for later is the newer one.
   */
  isMissing(isShown: (seq: number, changeId: string) => boolean, sentAtMs: number): boolean {
    for (const { seq, changeId, sinceMs } of this.#byOrg.values()) {
      if (sinceMs >= sentAtMs && !isShown(seq, changeId)) return true;
    }
    return false;
  }

  clear(): void {
    this.#newest = undefined;
    this.#byOrg.clear();
  }
}
