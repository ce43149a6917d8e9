import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** SQLite's code for a lock that another process holds. */
const busy = 5;

/** Why there is no lock: another process holds it, or there can be no such file. */
export class LockFailure extends Error {
  override readonly name = "LockFailure";
  readonly isHeld: boolean;

  constructor(isHeld: boolean, why: string) {
    super(why);
    this.isHeld = isHeld;
  }
}

/**
 * Calls `work` while no other process of the machine does so under the same lock, which it waits for up to `waitMs`. The
 * lock is the operating system's, by way of SQLite: it ends with its process, however that ends. So there is none that is
 * stale, and none is ever taken over. Its file is empty and stays: who waits at a deleted one would see another file than
 * who comes later.
 *
 * @throws LockFailure
 */
export function holdLock<T>(path: string, waitMs: number, work: () => T): T {
  const lock = lockFile(path, waitMs);
  try {
    return work();
  } finally {
    lock.close();
  }
}

function lockFile(path: string, waitMs: number): DatabaseSync {
  let file: DatabaseSync | undefined;
  try {
    createFile(path);
    file = new DatabaseSync(path);
    file.exec(`PRAGMA busy_timeout = ${waitMs}`);
    file.exec("BEGIN EXCLUSIVE");
    return file;
  } catch (error) {
    file?.close();
    const { errcode, code } = error as { readonly errcode?: number; readonly code?: string };
    throw new LockFailure(errcode === busy, errcode === undefined ? String(code) : `SQLite ${errcode}`);
  }
}

/** Never opens one that is there: closing it would end a lock that this process holds. */
function createFile(path: string): void {
  try {
    writeFileSync(path, "", { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
