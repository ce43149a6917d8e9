/** The largest entry that is kept or opened, in bytes: a snapshot of a hundred keys. */
export const maxEntryBytes = 262_144;

/**
 * A cache that workers share, between their memory and the database. `redisCache` of `byokit/redis` is one; a cache of
 * your own must pass `keyCacheContract` of `byokit/testing`.
 *
 * No promise about keys depends on it. It may forget, be down, answer late, bring old entries back or mix them up: what it
 * returns is opened, compared with the change log, and refused if it does not fit.
 */
export interface KeyCache {
  /** The longest that an entry lives, in milliseconds: a starting worker reads the change log back that far. */
  readonly maxAgeMs: number;
  /** The longest that one command is waited for, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * An organisation's entry; `undefined` when there is none. Rejects when the cache does not answer. One above 262,144
   * bytes is refused, so that no more than one byte beyond them need be asked for.
   */
  get(orgId: string): Promise<Uint8Array | undefined>;

  /** Keeps an entry for at most `maxAgeMs`, replacing the previous one. */
  set(orgId: string, entry: Uint8Array): Promise<void>;

  /** Forgets the entry of the organisation that is named, if one is, and tells every subscriber. Resolves once the cache has taken both. */
  invalidate(notice: ChangeNotice): Promise<void>;

  /**
   * Calls `onNotice` for every notice from now on, as far as they arrive: a connection that is lost is made again. The
   * connection is the subscription's own and ends with `close()`.
   */
  subscribe(onNotice: (notice: ChangeNotice) => void): CacheSubscription;

  /**
   * Calls `onFailure` when something begins to fail, or fails in another way than before, until `close()`; what fails
   * now and then may be said now and then only. Absent: nothing is said but that the cache is down.
   *
   * Calls `onReach` with `false` when the cache can be reached no longer, and with `true` when it has answered again. One that
   * does not is found to be down by the commands that fail.
   */
  watch?(
    onFailure: (failure: CacheFailure) => void,
    onReach?: ((isReached: boolean) => void) | undefined,
  ): CacheSubscription;

  /** What an operator should change about the client that was passed in, or about the server. Empty when all is well. */
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

/** What about a cache fails, in which way, and what to do about it. Contains nothing of the cache's own text. */
export interface CacheFailure {
  readonly operation: CacheOperation;
  readonly reason: CacheFailureReason;
  /** A sentence for an operator, which ends with the next step. */
  readonly advice: string;
}

export type CacheOperation = "connect" | "read" | "write" | "publish" | "subscribe";

/**
 * `unauthenticated`: name or password are wrong, or missing. `forbidden`: the user lacks a right, as on the channel.
 * `read_only`: the server is a replica, or has become one. `full`: it takes no more writes. `slow`: no answer in time.
 */
export type CacheFailureReason =
  | "unreachable"
  | "untrusted_certificate"
  | "unauthenticated"
  | "forbidden"
  | "read_only"
  | "full"
  | "slow"
  | "other";
