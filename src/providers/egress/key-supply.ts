import type { KeyAccount } from "../../key-account.ts";
import type { Secret } from "../../secret.ts";
import type { Slot } from "../../slot.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Refusal } from "../refusals/refusal.ts";

/** The key that serves a slot at one moment, the host that it belongs to, and whose it is. */
export interface ServingKey extends Endpoint {
  readonly key: Secret;
  readonly region: string | null;
  /** What the key works for; of a customer's key alone. */
  readonly account: KeyAccount | null;
  readonly source: "byok" | "platform";
  /** `null`: the platform's. */
  readonly secretId: string | null;
  /** Of the platform's key that stands in for one that its provider has refused: what was wrong with that. */
  readonly standsInFor?: "rejected" | "exhausted" | undefined;
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
   * Whether a request may leave with `serving`, in the turn in which its head is written. `request` is one object for
   * everything that is said of that request.
   *
   * @throws ByokError why no key serves.
   */
  mayLeave(serving: ServingKey, request: object): boolean;
  /**
   * Told of a key that its provider has refused. Resolves to what serves instead, once what is stored was read anew. Absent:
   * a refusal is shown as it came.
   *
   * @throws ByokError why nothing serves instead; the reason of `signal` when that is aborted first.
   */
  replace?(refused: RefusedKey, signal?: AbortSignal | null): Promise<ServingKey>;
  /**
   * Told of a refusal that was passed on: on a socket that was open already, or in an answer to what cannot be sent again.
   * Resolves once it is known what to think of the key. Never rejects.
   */
  onRefusal?(refused: RefusedKey): Promise<void>;
  /** Told that a provider has taken a key on a socket: what it said first was no refusal. Never throws. */
  onTaken?(serving: ServingKey, request: object): void;
  /**
   * A socket was opened with `serving`. `close` is called when that key is removed; the returned function is to be called when
   * the socket has closed.
   */
  holdSocket(serving: ServingKey, close: (why: Error) => void): () => void;
  /** Told of every request that has ended or been answered. Never throws. */
  onRequest(request: SentRequest): void;
}

/** A key that its provider has refused, and in which request. */
export interface RefusedKey {
  readonly serving: ServingKey;
  /** See {@link KeySupply.mayLeave}. */
  readonly request: object;
  readonly refusal: Refusal;
}

/** What a request ran on, and how it ended. */
export interface SentRequest {
  readonly serving: ServingKey;
  /** See {@link KeySupply.mayLeave}. */
  readonly request: object;
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
    mayLeave: () => true,
    holdSocket: () => () => {},
    onRequest: () => {},
  };
}

/** Whether `serving` still serves, as far as that is known in this very turn. */
export function servesStill(supply: Pick<KeySupply, "peek">, serving: ServingKey): boolean {
  const now = supply.peek();
  return now !== undefined && isSameKey(now, serving);
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
