import type { CacheEvent } from "../coherence/cache-event.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { Slot } from "../slot.ts";
import type { KeyFailure } from "./fallback-policy.ts";

/** What an operator should count. Never holds a key. */
export type ResolverEvent =
  /** The platform's key serves a slot: the organisation has none, or the operator chose so for what is wrong with it. */
  | {
      readonly type: "fallback";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly failure: KeyFailure;
    }
  /** A slot that a call holds is served by somebody else from now on: its organisation's key was removed, or added. */
  | {
      readonly type: "source_changed";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly source: "byok" | "platform";
      readonly secretId: string | null;
    }
  /** A request of a slot was answered, or failed; a websocket's opening counts as one. */
  | {
      readonly type: "request";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      /** Whose key it carried. */
      readonly source: "byok" | "platform";
      readonly secretId: string | null;
      /** `null`: no answer came, or a websocket was opened. */
      readonly status: number | null;
      /** Until the answer began. */
      readonly durationMs: number;
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
