import { ByokError } from "../errors.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import { nonNegativeMs, positiveInteger, positiveMs } from "../options.ts";
import { type DeclaredEndpoint, declareEndpoints } from "../providers/endpoints.ts";
import { parseKey } from "../providers/key-format.ts";
import { indexProviders, type Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import type { FallbackPolicy } from "./fallback-policy.ts";
import type { ResolverOptions } from "./resolver.ts";
import type { ResolverEvent } from "./resolver-event.ts";

/** A resolver's options, checked once, with their defaults. */
export interface ResolverSettings {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly platformKeys: ReadonlyMap<string, Secret>;
  readonly endpoints: ReadonlyMap<string, DeclaredEndpoint>;
  readonly shared: { readonly cache: KeyCache; readonly cipher: EntryCipher } | undefined;
  readonly fallback: FallbackPolicy;
  /** `undefined`: every provider whose SDK is installed. */
  readonly preload: readonly Provider[] | undefined;
  readonly deadlineMs: number;
  readonly requestTimeoutMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly serveStaleMs: number;
  readonly absentStaleMs: number;
  readonly maxOrgs: number;
  /** Never throws. */
  readonly onEvent: (event: ResolverEvent) => void;
}

/** @throws ByokError `options_invalid`; `key_malformed` for a platform key that cannot be one. */
export function parseSettings(options: ResolverOptions<Provider>, builtin: readonly Provider[]): ResolverSettings {
  const { providers = builtin, platformKeys = {}, endpoints = {}, fallback = {}, preload, onEvent } = options;
  const byId = indexProviders(providers);
  const find = (option: string, id: string): Provider => {
    const provider = byId.get(id);
    if (provider !== undefined) return provider;
    throw new ByokError("options_invalid", `"${option}" names "${id}", which is not among the providers. Correct it.`);
  };
  const leaseMs = positiveMs("leaseMs", options.leaseMs ?? 10_000);
  const pollMs = positiveMs("pollMs", options.pollMs ?? Math.min(2_500, leaseMs / 4));
  if (pollMs > leaseMs / 2) {
    throw new ByokError("options_invalid", '"pollMs" must be at most half of "leaseMs". Lower it, or raise the lease.');
  }
  return {
    providers: byId,
    platformKeys: new Map(
      entries(platformKeys).map(([id, key]) => [id, parseKey(find("platformKeys", id), key, providers)]),
    ),
    endpoints: declareEndpoints(endpoints, byId),
    shared: pairCacheWithCipher(options),
    fallback,
    preload: preload?.map((id) => find("preload", id)),
    deadlineMs: positiveMs("deadlineMs", options.deadlineMs ?? 2_000),
    requestTimeoutMs: positiveMs("requestTimeoutMs", options.requestTimeoutMs ?? 60_000),
    leaseMs,
    pollMs,
    serveStaleMs: nonNegativeMs("serveStaleMs", options.serveStaleMs ?? 0),
    absentStaleMs: nonNegativeMs("absentStaleMs", options.absentStaleMs ?? 900_000),
    maxOrgs: positiveInteger("maxOrgs", options.maxOrgs ?? 10_000),
    onEvent: (event) => {
      try {
        onEvent?.(event);
      } catch {
        // A counter that fails must not fail a call.
      }
    },
  };
}

function pairCacheWithCipher({ cache, keyring }: ResolverOptions<Provider>): ResolverSettings["shared"] {
  if (cache === undefined) return undefined;
  if (keyring.entryCipher !== undefined) return { cache, cipher: keyring.entryCipher };
  throw new ByokError(
    "options_invalid",
    'A resolver with a cache needs a keyring that seals its entries: "keyring.entryCipher".',
  );
}

/** An option that is spelt out as `undefined` is one that was left out. */
function entries<T>(record: Readonly<Record<string, T | undefined>>): [string, T][] {
  return Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined);
}
