import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { noSchema, storeUnavailable } from "../store-unavailable.ts";
import { type FileIdentity, readIdentity } from "./file-identity.ts";
import { hasSchema } from "./sqlite-schema.ts";

/** How long one attempt waits for a lock, in milliseconds. It blocks the event loop: longer waits are attempts anew. */
export const busyTimeoutMs = 5;

/** Somebody writes to the file right now: another process of ours, for a moment, or something beside SQLite. */
export class FileInMotion extends Error {}

/** Opens what was found under the path. */
export function openFile(
  path: string,
  found: FileIdentity | undefined,
): { readonly database: DatabaseSync; readonly identity: FileIdentity } {
  if (found === undefined) {
    const next = "Check the path against the working directory, and call the store's migrate() once to create it.";
    throw storeUnavailable(`has no database file (${path})`, next);
  }
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    if (!hasSchema(database)) throw noSchema();
    useLog(database);
    const identity = settle(database, path);
    if (identity?.content !== found.content) throw new FileInMotion();
    return { database, identity };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Creates an empty file for its owner alone, where there is none: SQLite would let everybody read it, and gives the mode of the
 * file to its log and the log's index. What stands in the way is for SQLite to say.
 */
export function createFile(path: string): void {
  for (const flag of ["wx", "a"]) {
    // One that is there is never opened: closing it would end the locks of this process. A link to nowhere is not there.
    if (existsSync(path)) return;
    try {
      closeSync(openSync(path, flag, 0o600));
    } catch {
      // Said by SQLite.
    }
  }
}

/**
 * The identity of what was opened. A log or an index of it that is gone from its path is still in use by other handles of
 * this process, and no one else would find it: it goes once all of them have let go of it.
 */
function settle(database: DatabaseSync, path: string): FileIdentity | undefined {
  // Reading opens the log and its index, which are part of the identity.
  hasSchema(database);
  const hasLog = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"] === "wal";
  const identity = readIdentity(path);
  if (hasLog && !identity?.hasSideFiles) throw new FileInMotion();
  return identity;
}

/** A backup that was put back may have another journal. */
function useLog(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA journal_mode = WAL");
  } catch {
    // Locked or read-only: it is read all the same.
  }
}
