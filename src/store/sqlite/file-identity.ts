import { statSync } from "node:fs";

/**
 * What tells whether the path still leads to the database that was opened, and whether it was written to beside SQLite.
 * In WAL mode the main file changes with checkpoints alone, so that a copy over it shows in its size and time.
 */
export interface FileIdentity {
  /** Device and inode of the main file and of its write-ahead log. */
  readonly files: string;
  /** Size and time of the main file. */
  readonly content: string;
  /** Whether the write-ahead log holds nothing. */
  readonly isLogEmpty: boolean;
}

/** `undefined`: there is no file under the path. */
export function readIdentity(path: string): FileIdentity | undefined {
  const main = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (main === undefined) return undefined;
  const log = statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false });
  return {
    files: `${main.dev}:${main.ino}:${log?.ino ?? "none"}`,
    content: `${main.size}:${main.mtimeNs}`,
    isLogEmpty: log === undefined || log.size === 0n,
  };
}
