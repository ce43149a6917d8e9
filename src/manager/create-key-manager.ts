import { randomUUID } from "node:crypto";
import { CacheLink } from "../cache/cache-link.ts";
import type { KeyCache } from "../cache/key-cache.ts";
import { type Clock, systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { positiveMs } from "../options.ts";
import { checkOrgId } from "../org-id.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { checkKeyText } from "../providers/key-format.ts";
import { type Provider, providersById } from "../providers/provider.ts";
import type { KeyStore, StoreChange } from "../vault/key-store.ts";
import type { Keyring } from "../vault/keyring.ts";
import type { ByokKeys, KeyChange, KeyManager } from "./key-manager.ts";
import { providerConfig } from "./provider-config.ts";

export interface KeyManagerOptions {
  readonly store: KeyStore;
  /** Seals under its primary key. */
  readonly keyring: Keyring;
  /** The workers' cache: they then learn of a change in milliseconds. Absent: within their lease. */
  readonly cache?: KeyCache;
  /** @default builtinProviders */
  readonly providers?: readonly Provider[];
  /** The longest that one call takes. @default 5_000 */
  readonly deadlineMs?: number;
  /** The workers' `leaseMs`: `KeyChange.effectiveWithinMs` is computed from it. @default 10_000 */
  readonly leaseMs?: number;
}

/** @throws ByokError `options_invalid` */
export function createKeyManager(options: KeyManagerOptions): KeyManager {
  return createKeyManagerOn(systemClock, options);
}

/** `createKeyManager` on a clock of the caller's. Internal: for tests that decide what time it is. */
export function createKeyManagerOn(clock: Clock, options: KeyManagerOptions): KeyManager {
  const { store, keyring, cache } = options;
  const link = cache && new CacheLink(cache, clock);
  const deadlineMs = positiveMs("deadlineMs", options.deadlineMs ?? 5_000);
  const leaseMs = positiveMs("leaseMs", options.leaseMs ?? 10_000);
  const providers = providersById(options.providers ?? builtinProviders);
  const catalogue = [...providers.values()];

  const find = (orgId: string, id: string): Provider => {
    const provider = providers.get(id);
    if (provider !== undefined) return provider;
    const known = catalogue.map((one) => one.id).join(", ");
    throw new ByokError("provider_unknown", `No provider has that id. Use one of: ${known}.`, { orgId });
  };
  const references = (stored: Readonly<Record<string, string>>): ByokKeys =>
    Object.fromEntries(catalogue.map(({ id }) => [`${id}_secret_id`, stored[id] ?? null]));
  const limited = <T>(orgId: string, work: Promise<T>): Promise<T> =>
    within(clock, deadlineMs, work, () => tooSlow(orgId, deadlineMs));
  /** Hints after the commit, and also when nobody knows whether there was one. */
  const changed = async (orgId: string, work: Promise<StoreChange>): Promise<KeyChange> => {
    const change = await limited(orgId, work).catch(async (error: unknown) => {
      await link?.invalidate({ orgId, seq: null });
      throw error;
    });
    return {
      byokKeys: references(change.references),
      seq: change.seq,
      verification: "skipped",
      published: (await link?.invalidate({ orgId, seq: change.seq })) ?? false,
      effectiveWithinMs: leaseMs,
    };
  };

  return {
    async list(orgId) {
      const records = await limited(orgId, store.describe(checkOrgId(orgId)));
      return references(Object.fromEntries(records.map(({ provider, secretId }) => [provider, secretId])));
    },

    async set(orgId, { provider: id, apiKey, region = null, actor = null }) {
      checkOrgId(orgId);
      const provider = find(orgId, id);
      if (region !== null && !Object.hasOwn(provider.regions ?? {}, region)) throw regionUnknown(orgId, provider);
      const key = checkKeyText(provider, apiKey, catalogue, orgId);
      const secretId = randomUUID();
      const context = { orgId, provider: id, secretId, region };
      const sealAndPut = async (): Promise<StoreChange> =>
        await store.put({ ...context, ...(await keyring.seal(key, context)), hint: key.hint(), actor });
      return await changed(orgId, sealAndPut());
    },

    async remove(orgId, id, { actor = null } = {}) {
      checkOrgId(orgId);
      const provider = find(orgId, id).id;
      return await changed(orgId, store.remove({ orgId, provider }, { actor }));
    },

    async describe(orgId) {
      const records = await limited(orgId, store.describe(checkOrgId(orgId)));
      return records.map(({ createdAtMs, ...record }) => ({
        ...record,
        createdAt: new Date(createdAtMs).toISOString(),
      }));
    },

    config() {
      return { providers: catalogue.map(providerConfig) };
    },
  };
}

function regionUnknown(orgId: string, provider: Provider): ByokError {
  const regions = Object.keys(provider.regions ?? {});
  const next = regions.length > 0 ? `Use one of: ${regions.join(", ")}.` : "It has none: leave the region out.";
  const message = `"${provider.id}" has no such region. ${next}`;
  return new ByokError("region_unknown", message, { orgId, provider: provider.id });
}

function tooSlow(orgId: string, deadlineMs: number): ByokError {
  const message = `The call did not end within ${deadlineMs} ms, and a change may or may not be stored. Make the same call again.`;
  return new ByokError("deadline_exceeded", message, { orgId });
}
