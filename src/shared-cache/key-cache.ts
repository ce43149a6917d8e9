/**
 * A cache that workers share, between their memory and the database. `redisCache` of `byokit/redis` is one; a cache of
 * your own must pass `keyCacheContract` of `byokit/testing`.
 *
 * Nothing that is promised of keys depends on it. It may forget, be down, answer late, bring old entries back or mix
 * them up: what it returns is opened, compared with the change log and refused where it does not fit.
 */
export interface KeyCache {
  /** The longest that an entry lives, in milliseconds: a starting worker reads the change log back that far. */
  readonly maxAgeMs: number;
  /** The longest that one command is waited for, in milliseconds. */
  readonly timeoutMs: number;

  /** An organisation's entry; `undefined` when there is none. Rejects when the cache does not answer. */
  get(orgId: string): Promise<Uint8Array | undefined>;

  /** Keeps an entry for at most `maxAgeMs`, in place of the one before. */
  set(orgId: string, entry: Uint8Array): Promise<void>;

  /** Forgets the entry of the organisation that is named, if one is, and tells every subscriber. Resolves once the cache has taken both. */
  invalidate(notice: ChangeNotice): Promise<void>;

  /**
   * Calls `onNotice` for every notice from now on, as far as they arrive: a connection that is lost is made again. The
   * connection is the subscription's own and ends with `close()`.
   */
  subscribe(onNotice: (notice: ChangeNotice) => void): CacheSubscription;

  /** What an operator should change about the client that was passed in. Empty when all is well. */
  warnings(): readonly string[];
}

/**
 * An organisation has changed, or several have. `seq` is the change's number, `null` when it is not known. Never more
 * than a hint: it may be lost, late or forged.
 */
export interface ChangeNotice {
  /** `null`: several organisations, by the changes from `firstSeq` to `seq`. */
  readonly orgId: string | null;
  readonly seq: number | null;
  /** Absent: `seq` alone. */
  readonly firstSeq?: number;
}

export interface CacheSubscription {
  close(): void;
}
