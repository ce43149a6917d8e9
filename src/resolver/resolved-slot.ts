import { ByokError } from "../errors.ts";
import { abortSignal } from "../option-kinds.ts";
import type { Credential, Provider } from "../providers/provider.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { Secret } from "../secret.ts";
import type { Slot } from "../slot.ts";
import type { KeyFailure } from "./fallback-policy.ts";

/**
 * One slot, ready to use. Discriminated by `provider` and by `source`. `client` is a getter of the slot's class: read it
 * from the slot itself, for a copy made by spreading has none.
 */
export type ResolvedSlot<P extends Provider = Provider, S extends Slot = Slot, Id = string> =
  P extends Provider<infer I, infer V, infer C, infer R>
    ? I extends Id
      ? S extends V
        ? SlotFacts<I, S> & { readonly client: C } & (S extends "realtime" ? RealtimeConnect<R> : unknown) & KeySource
        : never
      : never
    : never;

interface SlotFacts<Id, S> {
  readonly provider: Id;
  readonly slot: S;
  /** The agent's, else the catalogue's default for the slot; empty where there is none (e-mail). */
  readonly model: string;
  readonly voice: string | undefined;
  /** For what no SDK covers: raw sockets, frameworks that want a string. Its key belongs to `baseUrl` and `websocketUrl` only. */
  readonly credential: SlotCredential;
  readonly region: string | null;
  /** Whether it rests on what was known before the lease ended, because the database does not answer. */
  readonly stale: boolean;
}

export interface SlotCredential {
  readonly key: Secret;
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

/** What a slot is made of once its key is chosen. */
export interface ChosenSlot {
  readonly orgId: string;
  readonly slot: Slot;
  readonly provider: Provider;
  readonly model: string;
  readonly voice: string | undefined;
  readonly credential: Credential;
  readonly source: KeySource;
  readonly stale: boolean;
  readonly loaded: unknown;
}

/** Clients of one resolution: the same provider with the same key is built once, when a slot first asks for it. */
export class ResolutionClients {
  readonly #clients = new Map<string, unknown>();

  of(chosen: ChosenSlot): unknown {
    const { provider, credential, loaded, source } = chosen;
    const key = JSON.stringify([provider.id, source.secretId]);
    if (!this.#clients.has(key)) this.#clients.set(key, provider.connect(credential, loaded));
    return this.#clients.get(key);
  }
}

export function toResolvedSlot(chosen: ChosenSlot, clients: ResolutionClients): ResolvedSlot {
  return new SlotHandle(chosen, clients) as unknown as ResolvedSlot;
}

/** A class and no literal, because every call makes some: one with a getter of its own costs five times as much. */
class SlotHandle {
  readonly provider: string;
  readonly slot: Slot;
  readonly model: string;
  readonly voice: string | undefined;
  readonly source: KeySource["source"];
  readonly reason: KeySource["reason"];
  readonly secretId: string | null;
  readonly region: string | null;
  readonly stale: boolean;
  readonly credential: SlotCredential;
  readonly #chosen: ChosenSlot;
  readonly #clients: ResolutionClients;

  constructor(chosen: ChosenSlot, clients: ResolutionClients) {
    const { provider, slot, model, voice, credential, source, stale } = chosen;
    const { key, baseUrl, websocketUrl, region } = credential;
    this.provider = provider.id;
    this.slot = slot;
    this.model = model;
    this.voice = voice;
    this.source = source.source;
    this.reason = source.reason;
    this.secretId = source.secretId;
    this.region = region;
    this.stale = stale;
    this.credential = { key, baseUrl, websocketUrl };
    this.#chosen = chosen;
    this.#clients = clients;
  }

  get client(): unknown {
    return this.#clients.of(this.#chosen);
  }

  connect(options: ConnectOptions = {}): Promise<unknown> {
    return connectRealtime(this.#chosen, options);
  }
}

const connectRules: OptionRules<ConnectOptions> = { signal: abortSignal };

async function connectRealtime(chosen: ChosenSlot, options: ConnectOptions): Promise<unknown> {
  const { signal } = readOptions("connect()", options, connectRules);
  const { orgId, provider, slot, model, credential, loaded } = chosen;
  if (slot !== "realtime" || provider.realtime === undefined) {
    throw new ByokError(
      "agent_invalid",
      `"${provider.id}" opens no realtime socket in the slot "${slot}". Use the slot's client.`,
      { orgId, provider: provider.id, slot },
    );
  }
  return await provider.realtime(credential, loaded, { model, ...(signal === undefined ? {} : { signal }) });
}
