import { randomUUID } from "node:crypto";
import { CacheLink } from "../cache/cache-link.ts";
import type { KeyCache } from "../cache/key-cache.ts";
import { type Clock, systemClock } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { positiveInteger, positiveMs } from "../options.ts";
import { checkOrgId } from "../org-id.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { declaredEndpoints, type EndpointOption } from "../providers/endpoints.ts";
import { checkKeyText } from "../providers/key-format.ts";
import { type Provider, providersById } from "../providers/provider.ts";
import type { KeyStore, StoreChange } from "../vault/key-store.ts";
import type { Keyring } from "../vault/keyring.ts";
import { KeyChecks } from "./key-checks.ts";
import { description } from "./key-description.ts";
import { type ByokKeys, type KeyChange, type KeyManager, maxAuditPage } from "./key-manager.ts";
import { type KeyStatus, statusOf, statusOfVerdict } from "./key-status.ts";
import { checkActor, notConfigured, regionUnknown, tooSlow } from "./manager-errors.ts";
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

  const begin = (orgId: string): Deadline => {
    checkOrgId(orgId);
    return new Deadline(clock, deadlineMs, [], () => tooSlow(orgId, deadlineMs));
  };
  const find = (orgId: string, id: string): Provider => {
    const provider = providers.get(id);
    if (provider !== undefined) return provider;
    const known = catalogue.map((one) => one.id).join(", ");
    throw new ByokError("provider_unknown", `No provider has that id. Use one of: ${known}.`, { orgId });
  };
  const references = (stored: Readonly<Record<string, string>>): ByokKeys =>
    Object.fromEntries(catalogue.map(({ id }) => [`${id}_secret_id`, stored[id] ?? null]));
  /** Hints after the commit, also when the caller no longer waits for it, and when nobody knows whether there was one. */
  const committed = async (orgId: string, work: Promise<StoreChange>): Promise<Committed> => {
    try {
      const change = await work;
      return { change, published: (await link?.invalidate({ orgId, seq: change.seq })) ?? false };
    } catch (error) {
      await link?.invalidate({ orgId, seq: null });
      throw error;
    }
  };
  const changed = async (
    orgId: string,
    deadline: Deadline,
    work: Promise<StoreChange>,
    verification: KeyChange["verification"],
  ): Promise<KeyChange> => {
    const { change, published } = await deadline.race(committed(orgId, work));
    const byokKeys = references(change.references);
    return { byokKeys, seq: change.seq, verification, published, effectiveWithinMs: leaseMs };
  };

  return {
    async list(orgId) {
      const records = await begin(orgId).race(store.describe(orgId));
      return references(Object.fromEntries(records.map(({ provider, secretId }) => [provider, secretId])));
    },

    async set(orgId, { provider: id, apiKey, region = null, actor = null }) {
      const deadline = begin(orgId);
      checkActor(orgId, actor);
      const provider = find(orgId, id);
      if (region !== null && !Object.hasOwn(provider.regions ?? {}, region)) throw regionUnknown(orgId, provider);
      const key = checkKeyText(provider, apiKey, catalogue, orgId);
      const verification = isChecking ? await checks.admit(orgId, provider, key, region) : "skipped";
      const context = { orgId, provider: id, secretId: randomUUID(), region };
      const sealed = await deadline.race(Promise.resolve(keyring.seal(key, context)));
      const stored = store.put({ ...context, ...sealed, hint: key.hint(), actor, verification });
      return await changed(orgId, deadline, stored, verification);
    },

    async remove(orgId, id, { actor = null } = {}) {
      const deadline = begin(orgId);
      checkActor(orgId, actor);
      const removed = store.remove({ orgId, provider: find(orgId, id).id }, { actor });
      return await changed(orgId, deadline, removed, "skipped");
    },

    async verify(orgId, id) {
      const deadline = begin(orgId);
      const provider = find(orgId, id);
      const records = await deadline.race(store.describe(orgId));
      const stored = records.find((record) => record.provider === id);
      if (stored === undefined) throw notConfigured(orgId, id);
      const { secretId, region, sealed } = stored;
      const context = { orgId, provider: id, secretId, region };
      const key = await deadline.race(Promise.resolve(keyring.open(sealed, context)));
      const { verification, reason } = await checks.ask(provider, key, region);
      const isAnswer = verification !== "unreachable" && verification !== "skipped";
      if (isAnswer) await deadline.race(store.noteCheck({ orgId, provider: id, secretId, verification }));
      const status = statusOfVerdict(isAnswer ? verification : stored.verification);
      return { provider: id, secretId, verification, status, ...(reason === undefined ? {} : { reason }) };
    },

    async describe(orgId) {
      const deadline = begin(orgId);
      const records = await deadline.race(store.describe(orgId));
      const opening = Promise.all(records.map((record) => statusOf(keyring, orgId, record)));
      const statuses = await deadline.race(opening);
      return records.map((record, index) => description(record, statuses[index] as KeyStatus));
    },

    async audit(orgId, { before, limit = 50 } = {}) {
      const deadline = begin(orgId);
      const cursor = before === undefined ? null : positiveInteger("before", before);
      const size = Math.min(positiveInteger("limit", limit), maxAuditPage);
      const rows = await deadline.race(store.audit(orgId, { before: cursor, limit: size + 1 }));
      const entries = rows.slice(0, size).map(({ atMs, ...row }) => ({ ...row, at: new Date(atMs).toISOString() }));
      return { entries, next: rows.length > size ? (entries.at(-1)?.seq ?? null) : null };
    },

    config() {
      return { providers: catalogue.map(providerConfig) };
    },
  };
}

interface Committed {
  readonly change: StoreChange;
  readonly published: boolean;
}
