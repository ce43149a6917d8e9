import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { ByokError } from "../../errors.ts";
import { driverFailed, noSchema, storeUnavailable, tooSlow } from "../store-unavailable.ts";
import { hasSchema, upgradeSchema } from "./sqlite-schema.ts";

/** How long one attempt waits for a lock, in milliseconds. It blocks the event loop: longer waits are attempts anew. */
const busyTimeoutMs = 5;

/** Between two attempts, in milliseconds. */
const retryPauseMs = 10;

/** SQLite's primary result codes BUSY and LOCKED (https://www.sqlite.org/rescode.html). */
const lockedCodes: ReadonlySet<number> = new Set([5, 6]);

interface OpenFile {
  readonly database: DatabaseSync;
  /** Device and inode of the path when it was opened. */
  readonly identity: string;
  readonly prepared: Map<string, StatementSync>;
}

/** A database file that is opened on first use, and again when another file stands under its path. */
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
    return await this.#retried(() => work(this.#prepare()));
  }

  /** One transaction that holds the write lock from its beginning. */
  async write<T>(work: (prepare: Prepare) => T): Promise<T> {
    return await this.#retried(() => {
      const prepare = this.#prepare();
      prepare("BEGIN IMMEDIATE").run();
      try {
        const result = work(prepare);
        prepare("COMMIT").run();
        return result;
      } catch (error) {
        prepare("ROLLBACK").run();
        throw error;
      }
    });
  }

  /** Opens anew when the path leads to another file: an open handle would serve the old one for ever. */
  refresh(): void {
    if (this.#open !== undefined && this.#open.identity !== readIdentity(this.#path)) this.close();
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  #prepare(): Prepare {
    this.#open ??= this.#openFile();
    const { database, prepared } = this.#open;
    return (sql) => {
      const statement = prepared.get(sql) ?? database.prepare(sql);
      prepared.set(sql, statement);
      return statement;
    };
  }

  #openFile(): OpenFile {
    const identity = readIdentity(this.#path);
    if (identity === undefined) {
      const next = "Check the path against the working directory, and call the store's migrate() once to create it.";
      throw storeUnavailable("has no database file", next);
    }
    const database = new DatabaseSync(this.#path, { timeout: busyTimeoutMs });
    try {
      database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      if (!hasSchema(database)) throw noSchema();
      return { database, identity, prepared: new Map() };
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
        if (error instanceof ByokError) throw error;
        if (!isLocked(error)) throw driverFailed(error);
        if (performance.now() >= endsAt) throw tooSlow(this.#timeoutMs);
      }
      await pause(retryPauseMs);
    }
  }
}

export type Prepare = (sql: string) => StatementSync;

function readIdentity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return lockedCodes.has(code & 0xff);
}
