import type { CacheEvent } from "../coherence/cache-event.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { RefusalReason } from "../providers/refusals/refusal.ts";
import type { Slot } from "../slot.ts";
import type { KeyFailure, RefusedKeyFailure } from "./fallback-policy.ts";

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
  /**
   * A slot that a call holds is served by somebody else from now on: its organisation's key was removed, added, refused by its
   * provider, or taken by it again. `failure` says why the platform's key serves; absent where the organisation's does.
   */
  | {
      readonly type: "source_changed";
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly source: "byok" | "platform";
      readonly secretId: string | null;
      readonly failure?: KeyFailure;
    }
  /** A provider refuses an organisation's key. Told once, and again when what is refused changes; `key_recovered` ends it. */
  | {
      readonly type: "key_refused";
      readonly orgId: string;
      readonly provider: string;
      /** Whose request it was. */
      readonly slot: Slot;
      readonly secretId: string;
      readonly failure: RefusedKeyFailure;
      readonly reason: RefusalReason;
    }
  /** A provider takes a key again that it had refused. */
  | {
      readonly type: "key_recovered";
      readonly orgId: string;
      readonly provider: string;
      readonly secretId: string;
    }
  /** A provider refuses the platform's own key: an operator has to replace it, or to top its account up. Told once in 30 seconds. */
  | {
      readonly type: "platform_key_refused";
      /** Whose call it was that ran on it. */
      readonly orgId: string;
      readonly provider: string;
      readonly slot: Slot;
      readonly failure: RefusedKeyFailure;
      readonly reason: RefusalReason;
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
