import type { KeyAccount } from "../key-account.ts";
import type { Secret } from "../secret.ts";
import type { Category, Slot } from "../slot.ts";
import type { Canary } from "./canary/canary.ts";
import type { Egress } from "./egress/egress.ts";
import type { Vendor } from "./egress/vendor.ts";
import type { RefusalReason } from "./refusals/refusal.ts";

/**
 * A vendor: what it is called, which slots it can fill, where it listens, and how its client is built. Built with
 * `defineProvider()`; the five built-in ones are `openai`, `deepgram`, `elevenlabs`, `xai` and `resend`.
 */
export interface Provider<Id extends string = string, S extends Slot = Slot, C = unknown, R = unknown>
  extends Catalogue,
    Vendor {
  /** Names the provider in agents, in the API and in `<id>_secret_id`. Lower case, digits, `_`, at most 32 characters. */
  readonly id: Id;
  readonly name: string;
  readonly category: Category;
  readonly docsUrl: string;
  /** The slots that it can fill. The first is the one that `resolver.client()` takes when none is named. */
  readonly serves: readonly S[];
  /** The package that {@link Provider.load} imports, with its major: `openai@7`. Named by `sdk_missing`. */
  readonly sdk?: string | undefined;
  /** Imports the SDK. Called once, ahead of the first client. Absent: nothing to import. */
  load?(): Promise<unknown>;
  /**
   * Builds a client on `egress.baseUrl`, with `egress.placeholder` for a key and with `egress.fetch`, `egress.WebSocket` or
   * `egress.agent`: each request gets the key that serves as it leaves. `loaded` is what {@link Provider.load} resolved to.
   */
  connect(egress: Egress, loaded: unknown): C;
  /** Opens a realtime session. Present exactly on providers that serve `realtime` through `connect()`. */
  realtime?(egress: Egress, loaded: unknown, session: RealtimeSession): Promise<R>;
  /** The cheapest authenticated call. Never rejects for what the provider answers. Absent: keys are stored unchecked. */
  check?(credential: Credential, signal: AbortSignal): Promise<KeyCheck>;
  /**
   * How its SDK is proven when it is loaded, once per process. What does not send as it should is `sdk_unsupported`.
   * Absent: it is taken on trust.
   */
  readonly canary?: Canary<C> | undefined;
  /** The environment variable that its own SDK reads a key from: `OPENAI_API_KEY`. Read by `platformKeysFromEnv()` alone. */
  readonly keyVariable?: string | undefined;
  /** Other names of {@link Provider.keyVariable}, read where it is absent or blank. */
  readonly otherKeyVariables?: readonly string[] | undefined;
  /** Prefixes that are unmistakably this provider's (`xai-`): another provider refuses a key that starts with one. */
  readonly keyPrefixes?: readonly string[] | undefined;
  /** Prefixes of keys that must not be stored, and why: `{ "sk-admin-": "it is an admin key" }`. */
  readonly refusedPrefixes?: Readonly<Record<string, string>> | undefined;
}

/** What a provider offers. Advisory: an agent may name a model or voice that is not listed. */
export interface Catalogue {
  readonly models: readonly Model[];
  readonly voices?: readonly Voice[] | undefined;
}

export interface Model {
  readonly id: string;
  readonly name: string;
  /** Taken when the agent names no model. At most one per slot. */
  readonly default: boolean;
  readonly slot: Slot;
}

export interface Voice {
  readonly id: string;
  readonly name: string;
}

/** A key that is to be checked, and the way to ask its provider: requests of `fetch` carry it. */
export interface Credential extends Egress {
  readonly key: Secret;
  readonly region: string | null;
  /** What the key works for: requests of `fetch` show it. `null`: what the provider takes for it. */
  readonly account: KeyAccount | null;
}

/** What a realtime socket is opened with. */
export interface RealtimeSession {
  readonly model: string;
  /** Ends a connection attempt. Once the socket is open it does nothing. */
  readonly signal?: AbortSignal;
}

/**
 * What a provider says of a key. `restricted`: valid, but not for everything. `unreachable`: the provider did not say
 * (down, slow, rate limited, or somebody else answered), which never speaks against the key. `reason` is one word of ours,
 * never the provider's text.
 */
export interface KeyCheck {
  readonly verdict: "passed" | "restricted" | "invalid" | "unreachable";
  /** `perhaps_wrong_region`: `refused` by a provider that has regions. */
  readonly reason?: RefusalReason | "perhaps_wrong_region" | "timeout" | "provider_error";
  /** The region that a provider named with `wrong_region`. */
  readonly region?: string;
}
