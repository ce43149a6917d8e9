import type { LostHistory } from "../coherence/lost-history.ts";
import type { BuiltinProvider } from "../providers/builtin.ts";
import type { Provider } from "../providers/provider.ts";
import type { Slot } from "../slot.ts";
import type { ResolvedSlot } from "./resolved-slot.ts";

/** Turns an organisation's id and an agent's config into ready clients. Share one per process. */
export interface Resolver<P extends Provider = BuiltinProvider, Excluded extends string = never> {
  /**
   * Reads the change log once and imports the SDKs of `clients` (ElevenLabs' takes over a second and blocks the event
   * loop meanwhile). Then a call of an invented organisation is rehearsed, in memory alone and without an event or a request, so
   * that the first real one runs no code for the first time. Await it before taking calls.
   *
   * @throws ByokError by `deadlineMs`: `store_unavailable` when the database does not answer, `deadline_exceeded` when
   * there is more of the log to read, with how much was read. Call it again: reading goes on meanwhile.
   * `sdk_missing` when the SDK of a provider that `clients` names is not installed. `import_failed` when the process could not
   * read a file, as when it may open no more.
   */
  ready(): Promise<void>;

  /**
   * The clients of an agent's slots, from one consistent read of the organisation's keys.
   *
   * @throws ByokError `code` is the first failed slot's, `failures` has every one. `deadline_exceeded` when the
   * deadline ended first, the reason of `signal` when that was aborted.
   *
   * @example
   * ```ts
   * const { llm } = await resolver.resolve("org-1", { llm_config: { provider: "openai", model: "gpt-4o" } });
   * llm.source; // "byok" or "platform"
   * const answer = await llm.client.chat.completions.create({ model: llm.model, messages: [{ role: "user", content: "Hello" }] });
   * ```
   */
  resolve<const A extends AgentConfig>(
    orgId: string,
    agent: A,
    options?: ResolveOptions,
  ): Promise<Resolution<A, P, Excluded>>;

  /** One provider outside an agent: the e-mail after the call. `slot` defaults to the first that the provider serves. */
  client<const Id extends P["id"]>(
    orgId: string,
    provider: Id,
    options?: ClientOptions,
  ): Promise<ResolvedSlot<P, ServedBy<P, Id>, Id, Excluded>>;

  /** For a readiness probe and for metrics. */
  health(): ResolverHealth;

  /** Forgets every key and ends the timers. Calls under way reject with `closed`. The store stays the caller's. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ResolveOptions {
  /** Ends this call; one caller's abort rejects no other call. */
  readonly signal?: AbortSignal | undefined;
  /** @default ResolverOptions.deadlineMs */
  readonly deadlineMs?: number | undefined;
  /** The change that this call must see: `KeyChange.seq`, passed along with the job. Reads one's own writes across processes. */
  readonly atLeast?: number | undefined;
}

export interface ClientOptions extends ResolveOptions {
  readonly slot?: Slot | undefined;
}

/** An agent as the platform's agents API stores it: unknown keys pass, a slot may be `null`. */
export interface AgentConfig {
  readonly name?: string | undefined;
  readonly llm_config?: SlotConfig | null | undefined;
  readonly stt_config?: SlotConfig | null | undefined;
  readonly tts_config?: SlotConfig | null | undefined;
  readonly realtime_config?: SlotConfig | null | undefined;
}

export interface SlotConfig {
  readonly provider: string;
  /** Absent, `null` or empty: the catalogue's default. A model that the catalogue does not know passes. */
  readonly model?: string | null | undefined;
  readonly voice?: string | null | undefined;
}

/** Exactly the slots that the agent names; a slot that may be `null` or absent there may be `undefined` here. */
export type Resolution<A, P extends Provider = BuiltinProvider, Excluded = never> = { readonly orgId: string } & {
  readonly [K in keyof A as K extends `${infer S extends Slot}_config`
    ? S
    : never]: K extends `${infer S extends Slot}_config` ? SlotOf<A[K], P, S, Excluded> : never;
};

type SlotOf<Config, P extends Provider, S extends Slot, Excluded> = Config extends { readonly provider: infer Id }
  ? ResolvedSlot<P, S, Id, Excluded>
  : undefined;

type ServedBy<P extends Provider, Id extends string> =
  P extends Provider<infer I, infer S> ? (I extends Id ? S : never) : never;

export interface ResolverHealth {
  /** Whether this worker should take calls: the change log was read to its head once, and its lease is not lost. An idle worker is ready. */
  readonly isReady: boolean;
  readonly lease: { readonly leftMs: number };
  /** The newest change that this worker has read, and the newest that it knows to be there. */
  readonly feed: { readonly lastSeq: number; readonly head: number; readonly failures: number };
  readonly memory: { readonly organisations: number; readonly reads: number };
  /**
   * `down`: it does not answer, or cannot be reached, and is asked now and then only. A connection that is lost is known on an
   * idle worker too; a server that falls silent, from the next call on. A worker is ready without it.
   */
  readonly cache: "none" | "up" | "down";
  /** What the database has lost of what this worker had read, last; `null` while it has lost nothing. */
  readonly lostHistory: LostHistory | null;
  /** What an operator should change about what was passed in. Empty when all is well. */
  readonly warnings: readonly string[];
}
