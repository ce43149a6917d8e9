import { callHook } from "../call-hook.ts";
import { ByokError } from "../errors.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { keyringKind } from "../keyring/keyring-kind.ts";
import {
  callback,
  list,
  milliseconds,
  positiveMilliseconds,
  positiveWhole,
  recordOf,
  text,
  trueOrFalse,
} from "../option-kinds.ts";
import { ownProperty } from "../own-property.ts";
import { indexProviders } from "../providers/define-provider.ts";
import { EgressProxy } from "../providers/egress/egress-proxy.ts";
import { type DeclaredEndpoint, declareEndpoints } from "../providers/endpoints.ts";
import { parseKey } from "../providers/key-format.ts";
import type { Provider } from "../providers/provider.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import type { Secret } from "../secret.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import { keyCacheKind } from "../shared-cache/key-cache-kind.ts";
import type { KeyStore } from "../store/key-store.ts";
import { keyStoreKind } from "../store/key-store-kind.ts";
import { type FallbackPolicy, parsePolicy, policyKind } from "./fallback-policy.ts";
import type { ResolverEvent } from "./resolver-event.ts";
import type { Clients, ResolverOptions } from "./resolver-options.ts";

type AnyOptions = ResolverOptions<Provider, Clients<Provider>>;

/** A resolver's options, checked once, with their defaults. */
export interface ResolverSettings {
  readonly store: KeyStore;
  readonly keyring: Keyring;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Those of them that ship with byokit. */
  readonly builtin: readonly Provider[];
  readonly platformKeys: ReadonlyMap<string, Secret>;
  readonly endpoints: ReadonlyMap<string, DeclaredEndpoint>;
  readonly shared: { readonly cache: KeyCache; readonly cipher: EntryCipher } | undefined;
  readonly fallback: FallbackPolicy;
  /** Whose slots have a client. */
  readonly clients: ReadonlySet<Provider>;
  /** Whether a client whose SDK is not installed is missed before a slot needs it: it was named. */
  readonly mustHaveClients: boolean;
  readonly deadlineMs: number;
  readonly requestTimeoutMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly serveStaleMs: number;
  readonly absentStaleMs: number;
  readonly callStaleMs: number;
  readonly socketGraceMs: number;
  readonly maxOrgs: number;
  readonly proxy: EgressProxy | undefined;
  /** Never throws. */
  readonly onEvent: (event: ResolverEvent) => void;
}

/** @throws ByokError `options_invalid`; `key_malformed` for a platform key that cannot be one. */
export function parseSettings(given: AnyOptions, builtin: readonly Provider[]): ResolverSettings {
  const options = readOptions("createResolver()", given, rules);
  const { providers = builtin, platformKeys = {}, endpoints = {}, fallback, clients = true, onEvent } = options;
  const byId = indexProviders(providers);
  const known = [...byId.values()];
  const find = (option: string, id: string): Provider => {
    const provider = byId.get(id);
    if (provider !== undefined) return provider;
    throw new ByokError("options_invalid", `"${option}" names "${id}", which is not among the providers. Correct it.`);
  };
  const { leaseMs = 10_000 } = options;
  const { pollMs = Math.min(2_500, leaseMs / 4) } = options;
  if (pollMs > leaseMs / 2) {
    throw new ByokError("options_invalid", '"pollMs" must be at most half of "leaseMs". Lower it, or raise the lease.');
  }
  return {
    store: options.store,
    keyring: options.keyring,
    providers: byId,
    builtin: known.filter((_, index) => builtin.some((provider) => provider === providers[index])),
    platformKeys: new Map(
      listKeys(platformKeys).map(([id, key]) => [id, parseKey(find("platformKeys", id), key, known)]),
    ),
    endpoints: declareEndpoints(endpoints, byId),
    shared: pairCacheWithCipher(options),
    fallback: parsePolicy(fallback),
    clients: new Set(typeof clients === "boolean" ? (clients ? known : []) : clients.map((id) => find("clients", id))),
    mustHaveClients: typeof clients !== "boolean",
    deadlineMs: options.deadlineMs ?? 2_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    leaseMs,
    pollMs,
    serveStaleMs: options.serveStaleMs ?? 0,
    absentStaleMs: options.absentStaleMs ?? 900_000,
    callStaleMs: options.callStaleMs ?? 900_000,
    socketGraceMs: options.socketGraceMs ?? 0,
    maxOrgs: options.maxOrgs ?? 10_000,
    proxy: options.proxy === undefined ? undefined : EgressProxy.parse(options.proxy),
    onEvent: onEvent === undefined ? () => {} : (event) => callHook(onEvent, event),
  };
}

const rules: OptionRules<AnyOptions> = {
  store: required(keyStoreKind),
  keyring: required(keyringKind),
  platformKeys: recordOf("keys by provider: { openai: key }"),
  cache: keyCacheKind,
  providers: list,
  endpoints: recordOf("hosts by provider: { openai: url }"),
  fallback: policyKind,
  clients: {
    form: "true, false, or a list of providers' ids",
    fits: (value) => trueOrFalse.fits(value) || list.fits(value),
  },
  deadlineMs: positiveMilliseconds,
  requestTimeoutMs: positiveMilliseconds,
  leaseMs: positiveMilliseconds,
  pollMs: positiveMilliseconds,
  serveStaleMs: milliseconds,
  absentStaleMs: milliseconds,
  callStaleMs: milliseconds,
  socketGraceMs: milliseconds,
  maxOrgs: positiveWhole,
  proxy: text,
  onEvent: callback,
};

function pairCacheWithCipher({ cache, keyring }: AnyOptions): ResolverSettings["shared"] {
  if (cache === undefined) return undefined;
  const cipher = ownProperty(keyring, "entryCipher");
  if (cipher !== undefined) return { cache, cipher };
  throw new ByokError(
    "options_invalid",
    'A resolver with a cache needs a keyring that seals its entries: "keyring.entryCipher".',
  );
}

/** A key that is spelt out as `undefined`, or is the empty text, was left out. */
function listKeys(keys: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(keys).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
}
