import { randomUUID } from "node:crypto";
import { CacheLink } from "../cache/cache-link.ts";
import type { KeyCache } from "../cache/key-cache.ts";
import { type Clock, systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { positiveMs } from "../options.ts";
import { checkOrgId } from "../org-id.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { declaredEndpoints, type EndpointOption } from "../providers/endpoints.ts";
import { checkKeyText } from "../providers/key-format.ts";
import { type Provider, providersById } from "../providers/provider.ts";
import type { KeyStore, StoreChange } from "../vault/key-store.ts";
import type { Keyring } from "../vault/keyring.ts";
import { KeyChecks } from "./key-checks.ts";
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
  /** Hosts that the operator declares, as for the resolver: keys are checked there. */
  readonly endpoints?: Readonly<Record<string, EndpointOption | undefined>>;
  /** Whether a key is checked with its provider before it is stored. @default "reject-invalid" */
  readonly verify?: "reject-invalid" | "off";
  /** The longest that one call takes, the key check included. @default 5_000 */
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
  const checks = new KeyChecks(declaredEndpoints(options.endpoints ?? {}, providers), clock, deadlineMs);
  const isChecking = (options.verify ?? "reject-invalid") === "reject-invalid";

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
  const changed = async (
    orgId: string,
    work: Promise<StoreChange>,
    verification: KeyChange["verification"] = "skipped",
  ): Promise<KeyChange> => {
    const change = await limited(orgId, work).catch(async (error: unknown) => {
      await link?.invalidate({ orgId, seq: null });
      throw error;
    });
    return {
      byokKeys: references(change.references),
      seq: change.seq,
      verification,
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
      const verification = isChecking ? await checks.admit(orgId, provider, key, region) : "skipped";
      const secretId = randomUUID();
      const context = { orgId, provider: id, secretId, region };
      const sealAndPut = async (): Promise<StoreChange> =>
        await store.put({ ...context, ...(await keyring.seal(key, context)), hint: key.hint(), actor });
      return await changed(orgId, sealAndPut(), verification);
    },

    async remove(orgId, id, { actor = null } = {}) {
      checkOrgId(orgId);
      const provider = find(orgId, id).id;
      return await changed(orgId, store.remove({ orgId, provider }, { actor }));
    },

    async verify(orgId, id) {
      checkOrgId(orgId);
      const provider = find(orgId, id);
      const [snapshot] = await limited(orgId, store.snapshots([orgId]));
      const stored = snapshot?.keys.find((key) => key.provider === id);
      if (stored === undefined) throw notConfigured(orgId, id);
      const { secretId, region, sealed } = stored;
      const opening = Promise.resolve(keyring.open(sealed, { orgId, provider: id, secretId, region }));
      const key = await limited(orgId, opening);
      return { provider: id, secretId, ...(await checks.ask(provider, key, region)) };
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

function notConfigured(orgId: string, provider: string): ByokError {
  const message = `The organisation has no key of "${provider}". Store one first.`;
  return new ByokError("key_not_configured", message, { orgId, provider });
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
