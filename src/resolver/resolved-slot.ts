import type { Agent } from "node:http";
import type { KeyAccount } from "../key-account.ts";
import type { SlotWebSocketClass } from "../providers/egress/slot-websocket.ts";
import type { Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import type { Slot } from "../slot.ts";
import type { KeyFailure } from "./fallback-policy.ts";

/**
 * One slot, ready to use. Discriminated by `provider` and by `source`. `client` is a getter of the slot's class: read it
 * from the slot itself, for a copy made by spreading has none. Slots of providers that `clients` leaves out have none.
 */
export type ResolvedSlot<P extends Provider = Provider, S extends Slot = Slot, Id = string, Excluded = never> =
  P extends Provider<infer I, infer V, infer C, infer R>
    ? I extends Id
      ? S extends V
        ? SlotFacts<I, S> &
            SlotWays &
            SlotRenewal<ResolvedSlot<P, S, Id, Excluded>> &
            (I extends Excluded ? unknown : SlotClient<S, C, R>) &
            KeySource
        : never
      : never
    : never;

type SlotClient<S, C, R> = { readonly client: C } & (S extends "realtime" ? RealtimeConnect<R> : unknown);

interface SlotRenewal<Renewed> {
  /**
   * The slot as it serves now, after a read that begins after this call. Pass the error that a provider, an SDK or a framework
   * has given where something holds `credential`: a refusal of the key is handled as one that byokit meets itself, and
   * `fallback.rejected` or `fallback.exhausted` decides what serves.
   *
   * @throws ByokError as `resolve()` does; `platform_key_refused` where the error refuses the platform's key.
   */
  renew(error?: unknown): Promise<Renewed>;
}

interface SlotFacts<Id, S> {
  readonly provider: Id;
  readonly slot: S;
  /** The agent's, else the catalogue's default for the slot; empty where there is none (e-mail). */
  readonly model: string;
  readonly voice: string | undefined;
  /**
   * The way out, for what takes a key as a string and nothing else. It leaves byokit's protection: what holds it goes on with
   * a key that is removed or replaced, and to any host. `signal` is what is left.
   */
  readonly credential: SlotCredential;
  readonly region: string | null;
  /** Whether it rests on what was known before the lease ended, because the database does not answer. */
  readonly stale: boolean;
}

/**
 * How requests leave. Each carries the key that serves as it leaves, whatever has become of the one that the slot was
 * resolved with: a removed key is never sent again. Getters of the slot's class: a copy made by spreading has none.
 */
interface SlotWays {
  /**
   * For whatever takes a `fetch`. Takes URLs of the provider's default host and of the serving one.
   *
   * Throws ByokError: `key_revoked`, `key_replaced`, `host_refused`, `request_timeout`, and what `resolve()` throws.
   */
  readonly fetch: typeof fetch;
  /** For whatever takes a WebSocket class, of `ws` or of the browsers' form. Refusals come as `error` and `close` events. */
  readonly WebSocket: SlotWebSocketClass;
  /** For what makes its requests itself and takes a Node agent; asked again at every reconnect. */
  readonly agent: Agent;
  /** Stands where an SDK wants a key. Random, of this slot alone, and worth nothing. */
  readonly placeholder: string;
  /**
   * Aborted once what would serve this slot differs from what it last used, in its key, its host, or whether any does. A listener
   * alone does not keep it: hold the signal, the slot, or what was made of it, such as its client or a socket.
   */
  readonly signal: AbortSignal;
}

export interface SlotCredential {
  readonly key: Secret;
  /** What the key works for, which has to be shown beside it; `null`: what the provider takes for it. */
  readonly account: KeyAccount | null;
  readonly baseUrl: string;
  readonly websocketUrl: string;
}

interface RealtimeConnect<R> {
  /** Opens the socket with the slot's model and key. Rejects when the provider rejects it or `signal` is aborted first. */
  connect(options?: ConnectOptions): Promise<R>;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Whose key it is, and why. */
export type KeySource =
  | { readonly source: "byok"; readonly reason: "configured"; readonly secretId: string }
  | { readonly source: "platform"; readonly reason: KeyFailure; readonly secretId: null };
