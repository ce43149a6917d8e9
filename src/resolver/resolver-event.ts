import type { CacheEvent } from "../coherence/cache-event.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { Slot } from "../slot.ts";
import type { KeyFailure } from "./fallback-policy.ts";

/** What an operator should count. Never holds a key. */
export type ResolverEvent =
  /** The platform's key serves a slot although the organisation may have one of its own: the operator chose it. */
  | {
      readonly type: "fallback";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly failure: Exclude<KeyFailure, "absent">;
    }
  /** A slot runs on what was known before the lease ended, because the database does not answer. */
  | {
      readonly type: "stale";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly source: "byok" | "platform";
      readonly overdueMs: number;
    }
  /** A stored key did not open. `undecryptable`: its owner must enter it again. `keyring_outdated`: this worker's keyring lacks its kid. `keyring_unavailable`: it failed. */
  | {
      readonly type: "key_unusable";
      readonly orgId: string;
      readonly provider: string;
      readonly secretId: string;
      readonly reason: UnopenedReason;
    }
  | CacheEvent;
