import type { FlushReason } from "./history.ts";

/** Trouble of the cache and of its link to the database. Meant to be counted. */
export type CacheEvent =
  /** The change log could not be read. At `leaseLeftMs: 0` keys are no longer handed out from memory. */
  | { readonly type: "poll_failed"; readonly failures: number; readonly leaseLeftMs: number }
  /** The change log is read again, after `failures` failures. */
  | { readonly type: "feed_recovered"; readonly failures: number }
  /** The database has another history than before (standby promoted, backup restored): all that was remembered is gone. */
  | { readonly type: "flushed"; readonly reason: FlushReason }
  /** A snapshot was not used: older than a known change, or of another history. Read again after a poll. */
  | { readonly type: "snapshot_refused"; readonly orgId: string };
