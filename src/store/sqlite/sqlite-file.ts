import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import type { ByokError } from "../../errors.ts";
import { storeUnavailable, tooSlow } from "../store-unavailable.ts";
import { type FileIdentity, isSame, readIdentity } from "./file-identity.ts";
import { busyTimeoutMs, createFile, FileInMotion } from "./open-file.ts";
import { isDamage, isLocked, isWhole, toSqliteError } from "./sqlite-failure.ts";
import { type Prepare, SqliteHandle } from "./sqlite-handle.ts";
import { upgradeSchema } from "./sqlite-schema.ts";

/** Between two attempts, in milliseconds. */
const retryPauseMs = 10;

/**
 * A database file that is opened on first use, and again when another one stands under its path: an open handle would
 * serve the old one for ever. Every read and every change looks before it answers.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #timeoutMs: number;
  #open: SqliteHandle | undefined;

  constructor(path: string, timeoutMs: number) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Creates the file, for its owner alone, and the schema, or upgrades it. */
  async migrate(): Promise<void> {
    await this.#retried(() => {
      createFile(this.#path);
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
    return await this.#retried(() => work(this.#refreshed().prepare));
  }

  /**
   * One transaction that holds the write lock from its beginning. What it deleted is gone from the write-ahead log when
   * it answers, unless somebody reads the file meanwhile: then with the next change.
   */
  async write<T>(work: (prepare: Prepare) => T): Promise<T> {
    return await this.#retried(() => {
      const open = this.#refreshed();
      const result = open.transact(work);
      open.emptyLog();
      this.#confirm(open);
      return result;
    });
  }

  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  #explain(error: unknown): ByokError {
    if (error instanceof FileInMotion) return inMotion(this.#path);
    return isLocked(error) ? tooSlow(this.#timeoutMs) : toSqliteError(error, this.#path);
  }

  #closeIfIdle(): void {
    if (readIdentity(this.#path)?.isLogEmpty) this.close();
  }

  #closeOutdated(): void {
    try {
      const identity = readIdentity(this.#path);
      if (this.#open === undefined || isSame(this.#open.identity, identity)) return;
      if (identity?.files !== this.#open.identity.files || identity.isLogEmpty) this.close();
    } catch {
      // The next call is told.
    }
  }

  /** The handle of what stands under the path now. */
  #refreshed(): SqliteHandle {
    const open = this.#open;
    const identity = readIdentity(this.#path);
    if (open !== undefined && isSame(open.identity, identity)) return open;
    if (open !== undefined && identity?.files === open.identity.files && !identity.isLogEmpty) {
      return this.#replaceHandle(identity);
    }
    this.close();
    this.#open = this.#openFile(identity);
    return this.#open;
  }

  /**
   * Part of a log that others read was written into the file, or somebody copied over the file beside a log that holds
   * frames. Opened before the old handle is closed: the last one to close writes those frames into the file.
   */
  #replaceHandle(identity: FileIdentity): SqliteHandle {
    const open = this.#openFile(identity);
    try {
      if (!isWhole(open.database)) throw isDamaged(this.#path);
    } catch (error) {
      open.close();
      throw error;
    }
    this.close();
    this.#open = open;
    return open;
  }

  /** A change that went to a file which is not there any more is no change. */
  #confirm(open: SqliteHandle): void {
    const identity = readIdentity(this.#path);
    if (identity?.files !== open.identity.files) {
      this.close();
      throw storeUnavailable("had its database file replaced in the middle of a change", "Make the same call again.");
    }
    open.identity = identity;
  }

  #openFile(found: FileIdentity | undefined): SqliteHandle {
    return new SqliteHandle(this.#path, found, () => this.#closeOutdated());
  }

  /** Waits for locks without blocking the event loop, up to the time limit. */
  async #retried<T>(attempt: () => T): Promise<T> {
    const endsAt = performance.now() + this.#timeoutMs;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!isLocked(error) && !isDamage(error) && !(error instanceof FileInMotion))
          throw toSqliteError(error, this.#path);
        // An index of what stood there before looks like damage until every process has let go of it.
        if (isDamage(error)) this.#closeIfIdle();
        if (performance.now() >= endsAt) throw this.#explain(error);
      }
      await pause(retryPauseMs);
    }
  }
}

function inMotion(path: string) {
  const next = "Stop the processes that use it, and restore with: byokit restore FILE --replace.";
  return storeUnavailable(`has a database file that was written to beside SQLite (${path})`, next);
}

function isDamaged(path: string) {
  return storeUnavailable(`is damaged (${path})`, "Restore a backup: byokit restore FILE --replace.");
}
