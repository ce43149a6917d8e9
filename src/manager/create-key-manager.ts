import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import { Deadline, within } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import { assertActor, assertOrgId } from "../identifier.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { positiveInteger, positiveMs } from "../options.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { declareEndpoints, type EndpointOption } from "../providers/endpoints.ts";
import { parseKey } from "../providers/key-format.ts";
import { indexProviders, type Provider } from "../providers/provider.ts";
import { providerUnknown } from "../providers/provider-unknown.ts";
import { CacheCircuitBreaker } from "../shared-cache/cache-circuit-breaker.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import { defaultKeyName, type KeyRecord, type KeyRef, type KeyStore, type StoreChange } from "../store/key-store.ts";
import { ChangeTurns } from "./change-turns.ts";
import { CheckLimiter, type CheckLimits } from "./check-limiter.ts";
import { type Admitted, KeyChecks } from "./key-checks.ts";
import { describeKey } from "./key-description.ts";
import { type ByokKeys, type KeyManager, maxAuditPage } from "./key-manager.ts";
import { type KeyStatus, readStatus, toStatus } from "./key-status.ts";
import { changing, keyChanged, notConfigured, regionUnknown, tooSlow } from "./manager-errors.ts";
import { toProviderConfig } from "./provider-config.ts";
import { deriveSecretId } from "./secret-id.ts";
import { openStoredKey, sealKey } from "./stored-key.ts";

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
  /**
   * How many keys of one provider one organisation may have checked, lest somebody try stolen keys by the hundred;
   * beyond it `set` and `verify` are `checks_limited`. Each process counts for itself: N allow N times as much.
   *
   * @default { perMinute: 20, atOnce: 3 }
   */
  readonly checkLimits?: CheckLimits;
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
  const link = cache && new CacheCircuitBreaker(cache, clock);
  const deadlineMs = positiveMs("deadlineMs", options.deadlineMs ?? 5_000);
  const leaseMs = positiveMs("leaseMs", options.leaseMs ?? 10_000);
  const providers = indexProviders(options.providers ?? builtinProviders);
  const catalogue = [...providers.values()];
  const endpoints = declareEndpoints(options.endpoints ?? {}, providers);
  const checks = new KeyChecks(endpoints, clock, deadlineMs, new CheckLimiter(clock, options.checkLimits));
  const isChecking = parseVerify(options.verify);
  const turns = new ChangeTurns();

  const begin = (orgId: string, ...signals: AbortSignal[]): Deadline => {
    assertOrgId(orgId);
    return new Deadline(clock, deadlineMs, signals, () => tooSlow(orgId, deadlineMs));
  };
  const find = (orgId: string, id: string): Provider => {
    const provider = providers.get(id);
    if (provider !== undefined) return provider;
    throw providerUnknown(orgId, providers.keys());
  };
  const toByokKeys = (stored: Readonly<Record<string, string>>): ByokKeys =>
    Object.fromEntries(catalogue.map(({ id }) => [`${id}_secret_id`, stored[id] ?? null]));
  /**
   * Publishes a notice after the commit, even when the caller no longer waits for it, and when nobody knows whether there
   * was one.
   */
  const commit = async (ref: KeyRef, waiting: Deadline, step: () => Promise<StoreChange | undefined>) => {
    const { orgId } = ref;
    try {
      const change = await turns.run(orgId, async () => {
        // Whoever went away, or was overtaken, while this one waited for its turn has nothing stored.
        waiting.throwIfEnded();
        return await step();
      });
      if (change === undefined) throw keyChanged(ref);
      const published = (await link?.invalidate({ orgId, seq: change.seq })) ?? false;
      return { byokKeys: toByokKeys(change.references), seq: change.seq, published, effectiveWithinMs: leaseMs };
    } catch (error) {
      if (isByokError(error) && error.code === "store_unavailable") await link?.invalidate({ orgId, seq: null });
      throw error;
    }
  };
  /** A key that its provider rejects leaves a trace; that this fails changes nothing of the answer. */
  const noteAttempt = async (ref: KeyRef, actor: string | null, error: unknown, leftMs: number): Promise<void> => {
    if (!isByokError(error) || error.code !== "key_rejected") return;
    await within(clock, leftMs, store.noteAttempt(ref, { actor }), () => tooSlow(ref.orgId, deadlineMs)).catch(
      () => {},
    );
  };

  return {
    async list(orgId) {
      const records = await begin(orgId).race(store.describe(orgId));
      return toByokKeys(Object.fromEntries(records.map(({ provider, secretId }) => [provider, secretId])));
    },

    async set(orgId, { provider: id, apiKey, region, actor = null, signal, idempotencyKey }) {
      assertOrgId(orgId);
      assertActor(orgId, actor);
      const provider = find(orgId, id);
      if (typeof region === "string" && !hasRegion(provider, region)) throw regionUnknown(orgId, provider);
      const key = parseKey(provider, apiKey, catalogue, orgId);
      const ref = { orgId, provider: id, name: defaultKeyName };
      using turn = turns.begin(ref);
      const deadline = begin(orgId);
      const ended = signal === undefined ? turn.signal : AbortSignal.any([turn.signal, signal]);
      const waiting = begin(orgId, ended);
      try {
        waiting.throwIfEnded();
        const needsRegion = region === undefined && provider.regions !== undefined;
        const place = isChecking || needsRegion ? randomUUID() : null;
        const before = place === null ? null : await waiting.race(store.takePlace(ref, place));
        const kept = region === undefined ? (before?.region ?? null) : region;
        const said = isChecking ? await checks.admit(orgId, provider, key, kept, ended) : unasked;
        const secretId = idempotencyKey === undefined ? randomUUID() : deriveSecretId(ref, kept, key, idempotencyKey);
        const sealed = await waiting.race(sealKey(keyring, key, { orgId, provider: id, secretId, region: kept }));
        const { verdict } = said;
        const facts = { secretId, region: kept, hint: key.hint(), actor, verdict, place };
        const stored = commit(ref, waiting, () => store.put({ ...ref, ...sealed, ...facts }));
        return { ...(await deadline.race(stored)), ...said, region: kept };
      } catch (error) {
        await noteAttempt(ref, actor, error, deadline.leftMs());
        throw error;
      }
    },

    async remove(orgId, { provider: id, actor = null, signal }) {
      assertOrgId(orgId);
      assertActor(orgId, actor);
      const ref = { orgId, provider: find(orgId, id).id, name: defaultKeyName };
      using turn = turns.begin(ref);
      const deadline = begin(orgId);
      const waiting = begin(orgId, turn.signal, ...(signal === undefined ? [] : [signal]));
      waiting.throwIfEnded();
      const removed = commit(ref, waiting, () => store.remove(ref, { actor }));
      return { ...(await deadline.race(removed)), ...unasked, region: null };
    },

    async verify(orgId, id, { actor = null } = {}) {
      const deadline = begin(orgId);
      assertActor(orgId, actor);
      const provider = find(orgId, id);
      for (let round = 1; ; round += 1) {
        const records = await deadline.race(store.describe(orgId));
        const stored = records.find((record) => record.provider === id && record.name === defaultKeyName);
        if (stored === undefined) throw notConfigured(orgId, id);
        const { secretId, region } = stored;
        const key = await deadline.race(openStoredKey(keyring, orgId, stored));
        const { verdict, reason } = await checks.ask(orgId, provider, key, region, deadline.leftMs());
        const isAnswer = verdict !== "unreachable" && verdict !== "skipped";
        const noting = isAnswer
          ? store.noteCheck({ orgId, provider: id, name: defaultKeyName, secretId, verdict, actor })
          : Promise.resolve(true);
        // A key that was replaced while its provider was asked is not what was asked for.
        if (!(await deadline.race(noting))) {
          if (round < maxRounds) continue;
          throw changing(orgId, id);
        }
        const status = toStatus(isAnswer ? verdict : stored.verdict);
        return { provider: id, secretId, verdict, status, ...(reason === undefined ? {} : { reason }) };
      }
    },

    async describe(orgId) {
      const deadline = begin(orgId);
      const records = await deadline.race(store.describe(orgId));
      const readStatusInTime = (record: KeyRecord): Promise<KeyStatus> =>
        within(clock, deadlineMs / 2, readStatus(keyring, orgId, record), () => tooSlow(orgId, deadlineMs)).catch(() =>
          toStatus(record.verdict),
        );
      const opening = Promise.all(records.map(readStatusInTime));
      const statuses = await deadline.race(opening);
      return records.map((record, index) => describeKey(record, statuses[index] as KeyStatus));
    },

    async audit(orgId, { before, limit = 50 } = {}) {
      const deadline = begin(orgId);
      const cursor = before === undefined ? null : positiveInteger("before", before);
      const size = Math.min(positiveInteger("limit", limit), maxAuditPage);
      const rows = await deadline.race(store.audit(orgId, { before: cursor, limit: size + 1 }));
      const entries = rows.slice(0, size).map(({ atMs, ...row }) => ({ ...row, at: new Date(atMs).toISOString() }));
      return { entries, next: rows.length > size ? (entries.at(-1)?.id ?? null) : null };
    },

    config() {
      return { providers: catalogue.map(toProviderConfig) };
    },
  };
}

/** Whether keys are checked. Anything but the two words is an error: a typo would switch checks off. */
function parseVerify(verify: "reject-invalid" | "off" = "reject-invalid"): boolean {
  if (verify === "reject-invalid" || verify === "off") return verify === "reject-invalid";
  throw new ByokError("options_invalid", '"verify" must be "reject-invalid" or "off". Correct the option.');
}

/** How often a check is made when its key is replaced meanwhile: each time asks the provider. */
const maxRounds = 3;

const unasked: Admitted = { verdict: "skipped" };

function hasRegion({ regions = {} }: Provider, region: string): boolean {
  return Object.hasOwn(regions, region);
}
