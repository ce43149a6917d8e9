import type { KeyAccount } from "../key-account.ts";

/** The name of an organisation's one documented key of a provider. */
export const defaultKeyName = "default";

/** What a key belongs to. Side by side in one object, so that they are never swapped. */
export interface KeyRef {
  readonly orgId: string;
  readonly provider: string;
  /** Tells several keys of one provider apart. */
  readonly name: string;
}

/** One sealed key as it rests. */
export interface SealedKey {
  readonly provider: string;
  readonly name: string;
  readonly secretId: string;
  /** A region of the provider's list, or `null` for its default host. */
  readonly region: string | null;
  /** What the key works for, or `null` for what its provider takes for it. Never with both fields `null`. */
  readonly account: KeyAccount | null;
  /** The keyring entry that it is sealed under. */
  readonly kid: string;
  readonly sealed: string;
}

/** What is stored under a reference. */
export interface StoredReference {
  readonly secretId: string;
  readonly region: string | null;
  readonly account: KeyAccount | null;
}

/** One consistent read of an organisation's sealed keys, with the change number that it was read at. */
export interface KeySnapshot {
  readonly orgId: string;
  /**
   * Which history the numbers belong to: the database's own random id and, where the store can see it, the server's
   * timeline. Numbers of different incarnations say nothing about each other.
   */
  readonly incarnation: string;
  /** The head of the change log in this very read. The snapshot contains every change up to it. */
  readonly asOf: number;
  /** The random change id of the log row with number `asOf`. */
  readonly changeId: string;
  /** At most one per provider and name; the order means nothing. */
  readonly keys: readonly SealedKey[];
}
