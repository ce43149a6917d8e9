import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { noSchema, storeUnavailable, tooSlow } from "../store-unavailable.ts";
import { type FileIdentity, readIdentity } from "./file-identity.ts";
import { isLocked, toSqliteError } from "./sqlite-failure.ts";
import { hasSchema, upgradeSchema } from "./sqlite-schema.ts";

/** How long one attempt waits for a lock, in milliseconds. It blocks the event loop: longer waits are attempts anew. */
const busyTimeoutMs = 5;

/** Between two attempts, in milliseconds. */
const retryPauseMs = 10;

/** Between two looks at the path while nobody asks, in milliseconds. */
const watchMs = 250;

export type Prepare = (sql: string) => StatementSync;

interface OpenFile {
  readonly database: DatabaseSync;
  readonly prepared: Map<string, StatementSync>;
  /** Looks at the path while nobody asks: a handle on what stood there would keep everybody from writing. */
  readonly watch: NodeJS.Timeout;
  identity: FileIdentity;
}

/**
 * A database file that is opened on first use, and again when another one stands under its path: an open handle would
 * serve the old one for ever. Every read and every change looks before it answers.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #timeoutMs: number;
  #open: OpenFile | undefined;

  constructor(path: string, timeoutMs: number) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Creates the file and the schema, or upgrades it. */
  async migrate(): Promise<void> {
    await this.#retried(() => {
      const database = new DatabaseSync(this.#path, { timeout: busyTimeoutMs });
      try {
        database.exec("PRAGMA journal_mode = WAL");
        database.exec("BEGIN IMMEDIATE");
        upgradeSchema(database);
        database.exec("COMMIT");
      } finally {
        database.close();
      }
    });
  }

  async read<T>(work: (prepare: Prepare) => T): Promise<T> {
    return await this.#retried(() => work(toPrepare(this.#refreshed())));
  }

  /**
   * One transaction that holds the write lock from its beginning. What it deleted is gone from the write-ahead log when
   * it answers, unless somebody reads the file meanwhile: then with the next change.
   */
  async write<T>(work: (prepare: Prepare) => T): Promise<T> {
    return await this.#retried(() => {
      const open = this.#refreshed();
      const prepare = toPrepare(open);
      prepare("BEGIN IMMEDIATE").run();
      let result: T;
      try {
        result = work(prepare);
        prepare("COMMIT").run();
      } catch (error) {
        rollBack(open.database);
        throw error;
      }
      emptyLog(open.database);
      this.#confirm(open);
      return result;
    });
  }

  close(): void {
    clearInterval(this.#open?.watch);
    this.#open?.database.close();
    this.#open = undefined;
  }

  #closeOutdated(): void {
    try {
      const identity = readIdentity(this.#path);
      if (this.#open !== undefined && !isSame(this.#open.identity, identity) && identity?.isLogEmpty !== false)
        this.close();
    } catch {
      // Whoever asks next is told.
    }
  }

  /** The handle of what stands under the path now. */
  #refreshed(): OpenFile {
    const open = this.#open;
    const identity = readIdentity(this.#path);
    if (open !== undefined && isSame(open.identity, identity)) return open;
    // Frames of what stood there before would be written over what stands there now.
    if (open !== undefined && open.identity.files === identity?.files && !identity.isLogEmpty) throw new FileInMotion();
    this.close();
    this.#open = this.#openFile(identity);
    return this.#open;
  }

  /** A change that went to a file which is not there any more is no change. */
  #confirm(open: OpenFile): void {
    const identity = readIdentity(this.#path);
    if (identity?.files !== open.identity.files) {
      this.close();
      throw storeUnavailable("had its database file replaced in the middle of a change", "Make the same call again.");
    }
    open.identity = identity;
  }

  #openFile(found: FileIdentity | undefined): OpenFile {
    if (found === undefined) {
      const next = "Check the path against the working directory, and call the store's migrate() once to create it.";
      throw storeUnavailable(`has no database file (${this.#path})`, next);
    }
    const database = new DatabaseSync(this.#path, { timeout: busyTimeoutMs });
    try {
      database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      if (!hasSchema(database)) throw noSchema();
      useLog(database);
      // Reading opens the log, which is part of the identity.
      hasSchema(database);
      const identity = readIdentity(this.#path);
      if (identity === undefined) throw new FileInMotion();
      const watch = setInterval(() => this.#closeOutdated(), watchMs).unref();
      return { database, identity, prepared: new Map(), watch };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Waits for locks without blocking the event loop, up to the time limit. */
  async #retried<T>(attempt: () => T): Promise<T> {
    const endsAt = performance.now() + this.#timeoutMs;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!isLocked(error) && !(error instanceof FileInMotion)) throw toSqliteError(error, this.#path);
        if (performance.now() >= endsAt)
          throw error instanceof FileInMotion ? inMotion(this.#path) : tooSlow(this.#timeoutMs);
      }
      await pause(retryPauseMs);
    }
  }
}

/** Somebody writes to the file right now: another process of ours, for a moment, or something beside SQLite. */
class FileInMotion extends Error {}

function inMotion(path: string) {
  const next = "Stop the processes that use it, and restore with: byokit restore.";
  return storeUnavailable(`has a database file that was written to beside SQLite (${path})`, next);
}

function isSame(identity: FileIdentity, found: FileIdentity | undefined): boolean {
  return identity.files === found?.files && identity.content === found.content;
}

function toPrepare({ database, prepared }: OpenFile): Prepare {
  return (sql) => {
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
}

/** A transaction that failed may have been rolled back already, by a disk that is full. */
function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // There was none.
  }
}

/** A backup that was put back may have another journal. */
function useLog(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA journal_mode = WAL");
  } catch {
    // Locked or read-only: it is read all the same.
  }
}

function emptyLog(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Somebody reads.
  }
}
