import { ByokError } from "../errors.ts";
import { isAccountField, type KeyAccount } from "../key-account.ts";
import { callback, list, type OptionKind, recordOf, text } from "../option-kinds.ts";
import { isRecord } from "../own-property.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import type { Secret } from "../secret.ts";
import type { Category, Slot } from "../slot.ts";
import type { Canary } from "./canary/canary.ts";
import type { Egress } from "./egress/egress.ts";
import type { Vendor } from "./egress/vendor.ts";
import type { RefusalReason } from "./refusals/refusal.ts";

/**
 * A vendor: what it is called, which slots it can fill, where it listens, and how its client is built. Built with
 * {@link defineProvider}; the five built-in ones are `openai`, `deepgram`, `elevenlabs`, `xai` and `resend`.
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

/**
 * Declares a provider, typed through to the slot: `resolve()` knows the client of every slot that it fills.
 *
 * @throws ByokError `options_invalid`, as for a name that is misspelt: `chekc` would store keys unchecked.
 */
export function defineProvider<const Id extends string, const S extends Slot, C, R = unknown>(
  provider: Provider<Id, S, C, R>,
): Provider<Id, S, C, R> {
  readProvider(provider);
  return provider;
}

/**
 * The provider with another catalogue: `withCatalogue(xai, { models: [{ id: "grok-voice-latest", … }] })`. What is not
 * given stays as it is.
 */
export function withCatalogue<Id extends string, S extends Slot, C, R>(
  provider: Provider<Id, S, C, R>,
  catalogue: Partial<Catalogue>,
): Provider<Id, S, C, R> {
  return {
    ...provider,
    models: catalogue.models ?? provider.models,
    ...(catalogue.voices === undefined ? {} : { voices: catalogue.voices }),
  };
}

/** @throws ByokError `options_invalid` when two providers share an id, or one has no id that fits everywhere. */
export function indexProviders(providers: readonly Provider[]): ReadonlyMap<string, Provider> {
  const byId = new Map<string, Provider>();
  for (const provider of providers.map(readProvider)) {
    if (!/^[a-z][a-z0-9_]{0,31}$/u.test(provider.id)) {
      throw new ByokError(
        "options_invalid",
        "A provider's id is lower case, starts with a letter, and has at most 32 characters.",
      );
    }
    if (byId.has(provider.id)) {
      throw new ByokError("options_invalid", `Two providers have the id "${provider.id}". Leave one out.`);
    }
    byId.set(provider.id, provider);
  }
  return byId;
}

const accountHeadersKind: OptionKind = {
  form: 'headers in lower case by the account\'s field: { organization: "x-organization", project: "x-project" }',
  fits: (value) =>
    isRecord(value) &&
    Object.entries(value).every(
      ([field, header]) => isAccountField(field) && /^[a-z][a-z\d-]{0,63}$/u.test(`${header}`),
    ),
};

const rules: OptionRules<Provider> = {
  id: required(text),
  name: required(text),
  category: required(text),
  docsUrl: required(text),
  serves: required(list),
  endpoint: required(recordOf("an endpoint: { baseUrl, websocketUrl }")),
  models: required(list),
  voices: list,
  otherHosts: list,
  regions: recordOf("endpoints by region"),
  keyHeader: recordOf('how a request shows its key: { name: "authorization", scheme: "Bearer" }'),
  accountHeaders: accountHeadersKind,
  headers: list,
  repeatable: { form: "a regular expression", fits: (value) => value instanceof RegExp },
  idempotent: { form: "a regular expression", fits: (value) => value instanceof RegExp },
  accountState: recordOf("what names an account's own: { path, body }"),
  refusals: recordOf("the provider's words: { read, known }"),
  sdk: text,
  load: callback,
  canary: recordOf("what proves its SDK: { sdk, versions, steps }"),
  connect: required(callback),
  realtime: callback,
  check: callback,
  keyVariable: text,
  otherKeyVariables: list,
  keyPrefixes: list,
  refusedPrefixes: recordOf("reasons by prefix"),
};
const methods = ["load", "connect", "realtime", "check"] as const;

/** A provider that inherits nothing. One of a class goes on as itself: its methods keep their `this`. */
function readProvider(given: Provider): Provider {
  const provider = readOptions("defineProvider()", given, rules, "may pass");
  const bound = Object.entries(provider).map(([name, value]) =>
    methods.some((method) => method === name) ? [name, value.bind(given)] : [name, value],
  );
  return Object.assign(new OwnProvider(), Object.fromEntries(bound)) as unknown as Provider;
}

/** Inherits nothing. A class, because objects that are made without a prototype are slow, and every call reads some of it. */
class OwnProvider {}
Object.setPrototypeOf(OwnProvider.prototype, null);
