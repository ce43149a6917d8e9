import type { KeyAccount } from "../../key-account.ts";
import type { Secret } from "../../secret.ts";
import type { Slot } from "../../slot.ts";
import type { Endpoint } from "../endpoint.ts";

/** The key that serves a slot at one moment, the host that it belongs to, and whose it is. */
export interface ServingKey extends Endpoint {
  readonly key: Secret;
  readonly region: string | null;
  /** What the key works for; of a customer's key alone. */
  readonly account: KeyAccount | null;
  readonly source: "byok" | "platform";
  /** `null`: the platform's. */
  readonly secretId: string | null;
}

/** Says which key serves a slot, request by request. What asks it keeps no key for the next request. */
export interface KeySupply {
  readonly orgId: string | undefined;
  readonly slot: Slot | undefined;
  /**
   * What serves now, in this very turn; `undefined` where something must be read first.
   *
   * @throws ByokError why no key serves.
   */
  peek(): ServingKey | undefined;
  /**
   * What serves now, read first where it must be.
   *
   * @throws ByokError why no key serves; the reason of `signal` when that is aborted first.
   */
  decide(signal?: AbortSignal | null): Promise<ServingKey>;
  /**
   * A socket was opened with `serving`. `close` is called when that key is removed; the returned function is to be called when
   * the socket has closed.
   */
  holdSocket(serving: ServingKey, close: (why: Error) => void): () => void;
  /** Told of every request that has ended or been answered. Never throws. */
  onRequest(request: SentRequest): void;
}

/** What a request ran on, and how it ended. */
export interface SentRequest {
  readonly serving: ServingKey;
  /** `null`: no answer came. */
  readonly status: number | null;
  /** Until the answer began, or the request failed. */
  readonly durationMs: number;
}

/** A supply of one key that never changes: of a key that is checked before it is stored. */
export function supplyOf(serving: ServingKey): KeySupply {
  return {
    orgId: undefined,
    slot: undefined,
    peek: () => serving,
    decide: async () => serving,
    holdSocket: () => () => {},
    onRequest: () => {},
  };
}

/** Whether a request that was made for `one` may carry `other`: the same key, for the same host. */
export function isSameKey(one: ServingKey, other: ServingKey): boolean {
  return (
    one === other ||
    (one.source === other.source &&
      one.secretId === other.secretId &&
      one.baseUrl === other.baseUrl &&
      one.websocketUrl === other.websocketUrl)
  );
}
