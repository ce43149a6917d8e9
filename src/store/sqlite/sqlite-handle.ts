import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { FileIdentity } from "./file-identity.ts";
import { openFile } from "./open-file.ts";

/** Between two looks at the path while the store is idle, in milliseconds. */
const watchMs = 250;

export type Prepare = (sql: string) => StatementSync;

/** One opening of a database file, with its statements, until it is closed. */
export class SqliteHandle {
  readonly database: DatabaseSync;
  /** What stood under the path when it was opened, or after its last change. */
  identity: FileIdentity;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #watch: NodeJS.Timeout;

  /** `look` is called while the store is idle: a handle on what stood under the path would keep everybody from writing. */
  constructor(path: string, found: FileIdentity | undefined, look: () => void) {
    const { database, identity } = openFile(path, found);
    this.database = database;
    this.identity = identity;
    this.#watch = setInterval(look, watchMs).unref();
  }

  readonly prepare: Prepare = (sql) => {
    const statement = this.#prepared.get(sql) ?? this.database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  };

  /** One transaction, which holds the write lock from its beginning. */
  transact<T>(work: (prepare: Prepare) => T): T {
    this.prepare("BEGIN IMMEDIATE").run();
    try {
      const result = work(this.prepare);
      this.prepare("COMMIT").run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** What was deleted is gone from the write-ahead log as well, unless somebody reads the file: then with the next change. */
  emptyLog(): void {
    try {
      this.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Somebody reads.
    }
  }

  close(): void {
    clearInterval(this.#watch);
    this.database.close();
  }

  /** A transaction that failed may have been rolled back already, by a disk that is full. */
  #rollBack(): void {
    try {
      this.database.exec("ROLLBACK");
    } catch {
      // There was none.
    }
  }
}
