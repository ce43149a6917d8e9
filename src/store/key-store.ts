import type { LogCursor, LogPage } from "./change-log.ts";
import type { Attribution, NewKey, NotedCheck, NotedUse, PlacedKey, StoreChange, StoredKey } from "./key-change.ts";
import type { AuditRow, Contradiction, KeyRecord } from "./key-record.ts";
import type { KeyRef, KeySnapshot, StoredReference } from "./sealed-key.ts";

/**
 * Where keys rest. Three adapters ship (`memoryStore`, `sqliteStore`, `postgresStore`); a store of your own must pass
 * `keyStoreContract` of `byokit/testing`.
 *
 * A store knows no plaintext: it holds sealed keys, and beside them a **change log** whose newest number, the head, is
 * the clock of everything that byokit remembers. What every implementation owes:
 *
 * - Changes are numbered 1, 2, 3 … without a gap, and become visible in that order: a reader of a head of `n` reads
 *   the effect of every change up to `n`. (A database sequence does not give that: its values commit out of order.)
 * - {@link KeyStore.snapshots} and {@link KeyStore.poll} each read one state of the database, its primary's.
 * - Every method ends within the store's own time limit. When it cannot answer (unreachable, too slow, read-only,
 *   without schema, a file that is not there) it rejects with a `ByokError` of code `store_unavailable` and nothing else.
 */
export interface KeyStore {
  /**
   * Creates or upgrades the schema. Idempotent, and safe in many processes at once. Never called implicitly: otherwise a wrong
   * connection would create an empty store, and an empty store moves every customer to the platform's keys.
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
   * statement. A change that took a place before has lost it: its {@link KeyStore.put} stores nothing. Moves no clock, and
   * leaves no row in the log or in the audit trail. Answers in the order of `refs`, with `null` where no key is stored.
   * `refs` holds 1 to {@link maxBatchKeys} different references.
   */
  takePlaces(refs: readonly KeyRef[], place: string): Promise<readonly (StoredReference | null)[]>;

  /**
   * Stores a key, replacing the one of that reference if there is one: the new row, the deletion of the old row, the log
   * row and the audit row are one transaction. The change that was asked for last wins, and not the one that arrives last:
   *
   * - Resolves to `undefined`, and stores nothing, when `place` is not the newest place of the reference any more: a
   *   later change was asked for meanwhile. With `place: null` the put takes its place in its own transaction.
   * - When the key's own `secretId` is what is stored, nothing is written, and the answer is that change's: a put that
   *   is repeated because its answer was lost is not refused for its own success.
   *
   * When the connection is lost while the transaction commits, it is unknown whether it did: `store_unavailable`,
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
   * Notes what a provider said of a stored key as a call used it, so that the people who manage the key see it as its status.
   * Absent: refusals are known to the worker alone. Moves no clock, and appends nothing to the log. Resolves to whether
   * that secret is still the organisation's; one that was replaced meanwhile is left alone.
   *
   * - `invalid` and `exhausted` become what is stored, with the time. `passed` takes away these two and nothing else:
   *   one call that passes says nothing of a key's scopes.
   * - Where that is what is stored already, nothing is written: every worker may call it, at once and again.
   * - A change leaves an audit row without a number and without an actor, one at most for each secret and verdict, for
   *   ever: a key that flaps fills no table.
   */
  noteUse?(use: NotedUse): Promise<boolean>;

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
