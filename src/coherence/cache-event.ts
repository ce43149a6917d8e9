import type { CacheFailure } from "../shared-cache/key-cache.ts";
import type { LostHistory } from "./lost-history.ts";
import type { FlushReason } from "./page-outcome.ts";
import type { UnreadableReason } from "./snapshot-codec.ts";

/** Trouble of the cache and of its link to the database. Meant to be counted. */
export type CacheEvent =
  /** The change log could not be read. At `leaseLeftMs: 0` keys are no longer handed out from memory. */
  | { readonly type: "poll_failed"; readonly failures: number; readonly leaseLeftMs: number }
  /** The change log is read again, after `failures` failures. */
  | { readonly type: "feed_recovered"; readonly failures: number }
  /** The database has another history than before (standby promoted, backup restored): all that was remembered is gone. */
  | { readonly type: "flushed"; readonly reason: FlushReason }
  /** Changes that this worker has read are gone with that history: keys that were removed may be stored again. */
  | ({ readonly type: "history_lost" } & LostHistory)
  /** A snapshot was not used: older than a known change, or of another history. Read again after a poll. */
  | { readonly type: "snapshot_refused"; readonly orgId: string }
  /** A call was served from this worker's memory, from the shared cache or from the database. */
  | { readonly type: "snapshot_used"; readonly orgId: string; readonly from: SnapshotOrigin }
  /** The shared cache had an entry that was not used, and that is replaced unless its `kid` is unknown here. */
  | { readonly type: "entry_refused"; readonly orgId: string; readonly reason: EntryRefusedReason }
  /** The shared cache does not answer and is asked now and then only. Calls go on from memory and the database. */
  | { readonly type: "cache_down" }
  | { readonly type: "cache_up" }
  /** Something of the shared cache begins to fail, or fails in another way. `health().warnings` says what fails now. */
  | ({ readonly type: "cache_failed" } & CacheFailure)
  /** Changes came without their notices: the subscription was made anew. */
  | { readonly type: "subscription_renewed" };

/** Where a snapshot was found. */
export type SnapshotOrigin = "memory" | "cache" | "store";

/** `outdated`: older than a change of the organisation, or than what this worker keeps of the log. */
export type EntryRefusedReason = UnreadableReason | "outdated" | "other_history";
