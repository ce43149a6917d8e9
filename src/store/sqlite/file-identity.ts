import { statSync } from "node:fs";

/** A file system may stamp two changes within this time alike, in milliseconds. */
const settledMs = 100;

/**
 * What tells whether the path still leads to the database that was opened, and whether it was written to beside SQLite.
 * In WAL mode the main file changes with checkpoints alone, so that a copy over it shows in its size and time.
 */
export interface FileIdentity {
  /** Device and inode of the main file, inodes of its write-ahead log and of the index of that. */
  readonly files: string;
  /** Whether both the write-ahead log and its index are there. */
  readonly hasSideFiles: boolean;
  /** Size and time of the main file. */
  readonly content: string;
  /** Whether `content` would show another change: a file that changed just now may change again at the same time. */
  readonly isSettled: boolean;
  /** Whether the write-ahead log holds nothing. */
  readonly isLogEmpty: boolean;
}

/** `undefined`: there is no file under the path. */
export function readIdentity(path: string): FileIdentity | undefined {
  const main = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (main === undefined) return undefined;
  const log = statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false });
  const index = statSync(`${path}-shm`, { bigint: true, throwIfNoEntry: false });
  return {
    files: `${main.dev}:${main.ino}:${log?.ino ?? "none"}:${index?.ino ?? "none"}`,
    hasSideFiles: log !== undefined && index !== undefined,
    content: `${main.size}:${main.mtimeNs}`,
    isSettled: Math.abs(Date.now() - Number(main.mtimeMs)) > settledMs,
    isLogEmpty: log === undefined || log.size === 0n,
  };
}

/** Whether what was found is what was opened, unchanged. */
export function isSame(opened: FileIdentity, found: FileIdentity | undefined): boolean {
  return opened.isSettled && opened.files === found?.files && opened.content === found.content;
}
