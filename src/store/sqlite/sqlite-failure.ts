import type { DatabaseSync } from "node:sqlite";
import { ByokError } from "../../errors.ts";
import { driverFailed, storeUnavailable } from "../store-unavailable.ts";

/** SQLite's primary result codes BUSY and LOCKED (https://www.sqlite.org/rescode.html). */
const lockedCodes: ReadonlySet<number> = new Set([5, 6]);

/** Primary result codes in words, and the next step. `it` is the file. */
const failures: ReadonlyMap<number, readonly [what: string, next: string]> = new Map([
  [3, ["may not be opened by this process", "Give it the right to read and write the file and its folder."]],
  [8, ["is read-only", "Give this process the right to write the file and its folder, or mount them for writing."]],
  [10, ["could not be read or written: its disk failed", "Check the disk and the system's log."]],
  [11, ["is damaged", "Restore a backup: byokit restore FILE --replace."]],
  [13, ["has no room: its disk is full", "Free some, then make the same call again."]],
  [14, ["cannot be opened", "Check that its folder is there, that it is a file, and this process's rights to both."]],
  [26, ["is no SQLite database", "Check the path, or restore a backup: byokit restore FILE --replace."]],
]);

/** What no waiting mends: no rights, read-only, damaged, nothing that can be opened, no database. */
const lastingCodes: ReadonlySet<number> = new Set([3, 8, 11, 14, 26]);

const codeOf = (error: unknown): number =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;

export function isLocked(error: unknown): boolean {
  return lockedCodes.has(codeOf(error));
}

/** SQLite's primary result code CORRUPT. */
export function isDamage(error: unknown): boolean {
  return codeOf(error) === 11;
}

/** Whether SQLite finds nothing wrong with the database's structure; `false` too when it cannot tell. */
export function isWhole(database: DatabaseSync): boolean {
  try {
    return database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok";
  } catch (error) {
    if (isLocked(error)) throw error;
    return false;
  }
}

/** What SQLite or the file system threw, with the path that is wrong. */
export function toSqliteError(error: unknown, path: string): ByokError {
  if (error instanceof ByokError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const errcode = fileErrors.get(code) ?? codeOf(error);
  const failure = failures.get(errcode);
  if (failure === undefined) return driverFailed(error);
  const [what, next] = failure;
  return storeUnavailable(`${what} (${path})`, next, lastingCodes.has(errcode) ? { retryable: false } : {});
}

/** What a path answers before SQLite is asked. */
const fileErrors: ReadonlyMap<string, number> = new Map([
  ["EACCES", 3],
  ["EPERM", 3],
  ["ENOTDIR", 14],
  ["ENOENT", 14],
  ["EISDIR", 14],
  ["ELOOP", 14],
  ["ENAMETOOLONG", 14],
  ["EROFS", 8],
  ["ENOSPC", 13],
  ["EIO", 10],
]);
