import type { KeyAccount } from "../key-account.ts";

/**
 * Where keys rest. Three adapters ship (`memoryStore`, `sqliteStore`, `postgresStore`); a store of your own must pass
 * `keyStoreContract` of `byokit/testing`.
 *
 * A store knows no plaintext: it holds sealed keys, and beside them a **change log** whose newest number, the head, is
 * the clock of everything that byokit remembers. What every implementation owes:
 *
 * - Changes are numbered 1, 2, 3 … without a gap, and become visible in that order: whoever reads a head of `n` reads
 *   the effect of every change up to `n`. (A database sequence does not give that: its values commit out of order.)
 * - {@link KeyStore.snapshots} and {@link KeyStore.poll} each read one state of the database, its primary's.
 * - Every method ends within the store's own time limit. When it cannot answer (unreachable, too slow, read-only,
 *   without schema, a file that is not there) it rejects with a `ByokError` of code `store_unavailable` and nothing else.
 */
export interface KeyStore {
  /**
   * Creates or upgrades the schema. Idempotent, and safe in many processes at once. Never called implicitly: a wrong
   * connection would otherwise found an empty store, and an empty store moves every customer to the platform's keys.
   */
  migrate(): Promise<void>;

  /**
   * One consistent read of these organisations, answered in their order. An organisation without keys has an empty
   * `keys`; it is never left out. `orgIds` holds 1 to {@link maxSnapshotOrgs} different ids.
   */
  snapshots(orgIds: readonly string[]): Promise<readonly KeySnapshot[]>;

  /** One consistent read of the change log. See {@link LogCursor} and {@link LogPage}. */
  poll(cursor: LogCursor): Promise<LogPage>;

  /**
   * Takes the newest place in the order of changes of every one of these keys, and reads what is stored, in one
   * statement. Whoever took a place before has lost it: its {@link KeyStore.put} stores nothing. Moves no clock, and
   * leaves no row in the log or in the audit trail. Answers in the order of `refs`, with `null` where no key is stored.
   * `refs` holds 1 to {@link maxBatchKeys} different references.
   */
  takePlaces(refs: readonly KeyRef[], place: string): Promise<readonly (StoredReference | null)[]>;

  /**
   * Stores a key, replacing the one of that reference if there is one: the new row, the deletion of the old row, the log
   * row and the audit row are one transaction. Whoever asked last wins, and not whoever arrives last:
   *
   * - Resolves to `undefined`, and stores nothing, when `place` is not the newest place of the reference any more: a
   *   later change was asked for meanwhile. With `place: null` the put takes its place in its own transaction.
   * - When the key's own `secretId` is what is stored, nothing is written, and the answer is that change's: a put that
   *   is repeated because its answer was lost is not refused for its own success.
   *
   * When the connection is lost while the transaction commits, nobody knows whether it did: `store_unavailable`,
   * retryable, and the same call made again ends in the right state.
   */
  put(key: NewKey): Promise<StoreChange | undefined>;

  /**
   * {@link KeyStore.put} of 1 to {@link maxBatchKeys} keys of different references in one transaction, which all have
   * taken a place. Answers in their order, each as `put` does: those that were overtaken store nothing, and the others
   * take numbers that follow each other.
   */
  putMany(keys: readonly PlacedKey[]): Promise<readonly (StoredKey | undefined)[]>;

  /**
   * Removes a key, physically; its place, the log row and the audit row are of the same transaction. Where there is
   * none, nothing but the place is written, no lock that others need is taken, and the answer carries the head and
   * `secretId: null`, so that a retry is safe.
   */
  remove(ref: KeyRef, by: Attribution): Promise<StoreChange>;

  /** What is known of an organisation's keys, sorted by provider. One consistent read. */
  describe(orgId: string): Promise<readonly KeyRecord[]>;

  /**
   * Notes what a provider said of a stored key, and when. Moves no clock: nothing that a resolve reads changes. Resolves
   * to whether that secret is still the organisation's; one that was replaced meanwhile is left alone. Leaves an audit
   * row without a number where it is.
   */
  noteCheck(check: NotedCheck): Promise<boolean>;

  /**
   * Notes that somebody tried to store a key, and stored none. Counted: one audit row a minute, reference and actor, so
   * that a guesser fills no table.
   */
  noteAttempt(ref: KeyRef, by: Attribution): Promise<void>;

  /** An organisation's audit rows, the newest first, at most `limit`; those with an `id` below `before` where it is given. */
  audit(orgId: string, page: { readonly before: number | null; readonly limit: number }): Promise<readonly AuditRow[]>;

  /**
   * What is stored and the audit trail says otherwise, at most `limit` of them, by organisation: somebody has written to
   * the database beside byokit, or parts of two backups were mixed. For an operator's command: it reads every key's row.
   */
  findContradictions(limit: number): Promise<readonly Contradiction[]>;

  /** What an operator should change about what was passed in. Absent or empty: all is well. */
  warnings?(): readonly string[];

  /** Ends what the store itself opened. Pools and clients that the caller passed in stay the caller's. */
  close(): Promise<void>;
}

/** The most organisations that one {@link KeyStore.snapshots} takes. */
export const maxSnapshotOrgs = 100;

/** The most keys that one {@link KeyStore.takePlaces} or {@link KeyStore.putMany} takes. */
export const maxBatchKeys = 500;

/** The most log rows that one {@link KeyStore.poll} returns. */
export const maxLogRows = 1_000;

/**
 * The furthest behind the head that a page with a window starts, in rows: a worker keeps no more of them, so that it
 * starts in a second however many changes its window holds.
 */
export const maxWindowRows = 65_536;

/** The name of an organisation's one documented key of a provider. */
export const defaultKeyName = "default";

/** What a key belongs to. Side by side in one object, so that they are never swapped. */
export interface KeyRef {
  readonly orgId: string;
  readonly provider: string;
  /** Tells several keys of one provider apart. */
  readonly name: string;
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

/**
 * Where to read the change log from: behind a change already read, or from the newest change that is older than a
 * window (so that a starting worker learns of every change within it), {@link maxWindowRows} behind the head at the
 * most. `windowMs: 0` starts at the head.
 */
export type LogCursor = { readonly after: number } | { readonly windowMs: number };

/** One consistent read of the change log. */
export interface LogPage {
  readonly incarnation: string;
  /** The newest change number, and its row's change id. 0 in a store that has never changed. */
  readonly head: number;
  readonly headChangeId: string;
  /** The number that the page starts behind: `after` as it was asked for, or the change that the window chose. */
  readonly after: number;
  /** The change id of row `after`; `null` when there is no such row (pruned, or another history). */
  readonly afterChangeId: string | null;
  /** The rows with numbers above `after`, ascending, at most {@link maxLogRows}; more when the last is below `head`. */
  readonly changes: readonly LogRow[];
}

/** One change: which organisation it touched. */
export interface LogRow {
  readonly seq: number;
  readonly changeId: string;
  readonly orgId: string;
}

/** Who asked for a change; `null` when nobody said. */
export interface Attribution {
  readonly actor: string | null;
}

/** A sealed key to be stored. */
export interface NewKey extends KeyRef, SealedKey, Attribution {
  /** The last four characters, or `null` for a key too short to show any. */
  readonly hint: string | null;
  /** What its provider said of it before it was stored. */
  readonly verdict: Verdict;
  /** The place that this change took when it was asked for; `null`: it takes one as it is stored. */
  readonly place: string | null;
}

/**
 * What a provider said of a key. `restricted`: valid, but without some scope. `unreachable`: it did not say. `skipped`: it
 * was not asked.
 */
export type Verdict = "passed" | "restricted" | "invalid" | "unreachable" | "skipped";

/** A sealed key to be stored whose place was taken before. */
export interface PlacedKey extends NewKey {
  readonly place: string;
}

/** What a provider said of a stored key. Only an answer is noted: silence never speaks against a key. */
export interface NotedCheck extends KeyRef, Attribution {
  readonly secretId: string;
  readonly verdict: "passed" | "restricted" | "invalid";
}

/** What a change of a batch did. */
export interface StoredKey {
  /** The number of the change; the head when nothing was changed. */
  readonly seq: number;
  /** The secret that the organisation had for the provider before, now deleted; `null` when there was none. */
  readonly secretId: string | null;
}

/** What a change did. */
export interface StoreChange extends StoredKey {
  /** The organisation's keys of the {@link defaultKeyName} after the change: provider to secret id. */
  readonly references: Readonly<Record<string, string>>;
}

/** What is known of a stored key. */
export interface KeyRecord extends SealedKey {
  readonly hint: string | null;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly createdAtMs: number;
  readonly createdBy: string | null;
  /** What its provider said last; `unreachable` or `skipped` while it has never said anything. */
  readonly verdict: Verdict;
  /** When its provider said that; `null` while it has never said anything. */
  readonly checkedAtMs: number | null;
}

/** A key that the audit trail contradicts. */
export interface Contradiction extends KeyRef {
  /** What is stored; `null`: nothing is, and the trail knows of no removal. */
  readonly secretId: string | null;
  /** What the trail's newest change of the key says is stored; `null`: nothing. */
  readonly auditedSecretId: string | null;
}

/** One entry of the audit trail, kept for ever and unaltered. Reads leave none. */
export interface AuditRow extends Attribution {
  /** Ascending, with gaps: the row's own. A page's cursor. */
  readonly id: number;
  /** The number of the change; `null` where nothing changed. */
  readonly seq: number | null;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly atMs: number;
  readonly provider: string;
  readonly name: string;
  /** `verified`: a stored key was checked. `attempted`: changes that stored nothing; one row a minute counts them. */
  readonly action: "added" | "replaced" | "removed" | "verified" | "attempted";
  /** The secret that the organisation has for the provider since then; `null` after a removal. */
  readonly secretId: string | null;
  /** The secret that it had before, deleted by this change; `null` where there was none. */
  readonly previousSecretId: string | null;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  /** What the provider said of the key that was stored; `null` for a removal. */
  readonly verdict: Verdict | null;
  /** Of the key that was stored, or of the one that was removed. */
  readonly hint: string | null;
  /** How often; 1 for everything but attempts. */
  readonly times: number;
}
