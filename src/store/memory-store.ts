import { nodeCrypto } from "../node-crypto.ts";
import { copyOwn } from "../own-property.ts";
import { type LogCursor, type LogRow, maxLogRows, maxWindowRows } from "./change-log.ts";
import type { NewKey, StoreChange } from "./key-change.ts";
import type { KeyRecord } from "./key-record.ts";
import type { KeyStore } from "./key-store.ts";
import { MemoryTrail } from "./memory-trail.ts";
import { composeAuditRow } from "./rows/audit-row.ts";
import { changesVerdict } from "./rows/changes-verdict.ts";
import { toCheckedAt } from "./rows/checked-at.ts";
import { defaultKeyName, type KeyRef, type SealedKey } from "./sealed-key.ts";
import { noSchema } from "./store-unavailable.ts";

interface OwnKey extends NewKey {
  readonly seq: number;
  readonly createdAtMs: number;
  readonly checkedAtMs: number | null;
}

interface TimedRow extends LogRow {
  readonly atMs: number;
}

/** The most rows of the change log, and of the audit trail, that are kept. */
const maxRows = 100_000;

/**
 * A store in this process's memory, gone with it: for tests and first tries. It keeps every promise of the port but
 * durability. As everywhere, `migrate()` comes first.
 */
export function memoryStore(): KeyStore {
  const incarnation = nodeCrypto().randomUUID();
  /** By organisation, then by provider and name. */
  const organisations = new Map<string, Map<string, OwnKey>>();
  const places = new Map<string, string>();
  const log: TimedRow[] = [];
  const trail = new MemoryTrail(maxRows);

  const readNewest = (): TimedRow => {
    const row = log.at(-1);
    if (row === undefined) throw noSchema();
    return row;
  };
  const appendLog = (orgId: string): number => {
    const seq = readNewest().seq + 1;
    log.push({ seq, orgId, changeId: nodeCrypto().randomUUID(), atMs: Date.now() });
    if (log.length > maxRows) log.shift();
    return seq;
  };
  const keysOf = (orgId: string): OwnKey[] => [...(organisations.get(orgId)?.values() ?? [])];
  const find = (ref: KeyRef): OwnKey | undefined => organisations.get(ref.orgId)?.get(idOf(ref));
  const takePlace = (ref: KeyRef, place: string): void =>
    void places.set(JSON.stringify([ref.orgId, idOf(ref)]), place);
  const describeChange = (orgId: string, seq: number, secretId: string | null): StoreChange => {
    const keys = keysOf(orgId).filter(({ name }) => name === defaultKeyName);
    return { seq, secretId, references: Object.fromEntries(keys.map((key) => [key.provider, key.secretId])) };
  };

  const put = (key: NewKey): StoreChange | undefined => {
    const { orgId, actor, place } = key;
    readNewest();
    const before = find(key);
    if (before?.secretId === key.secretId) return describeChange(orgId, before.seq, null);
    if (place === null) takePlace(key, nodeCrypto().randomUUID());
    else if (places.get(JSON.stringify([orgId, idOf(key)])) !== place) return undefined;
    const seq = appendLog(orgId);
    const keys = organisations.get(orgId) ?? new Map<string, OwnKey>();
    const createdAtMs = Date.now();
    const checkedAtMs = toCheckedAt(key.verdict, createdAtMs);
    organisations.set(orgId, keys.set(idOf(key), { ...key, seq, createdAtMs, checkedAtMs }));
    trail.append(orgId, composeAuditRow({ seq, ref: key, actor, before, stored: key }));
    return describeChange(orgId, seq, before?.secretId ?? null);
  };

  return {
    async migrate() {
      if (log.length === 0) log.push({ seq: 0, orgId: "", changeId: nodeCrypto().randomUUID(), atMs: Date.now() });
    },

    async snapshots(orgIds) {
      const { seq: asOf, changeId } = readNewest();
      return orgIds.map((orgId) => {
        return { orgId, incarnation, asOf, changeId, keys: keysOf(orgId).map(toSealedKey) };
      });
    },

    async poll(cursor) {
      const { seq: head, changeId: headChangeId } = readNewest();
      const after = findStart(log, cursor);
      const first = log[0]?.seq ?? 0;
      const afterChangeId = log[after - first]?.changeId ?? null;
      const next = Math.max(after + 1 - first, 0);
      const changes = log.slice(next, next + maxLogRows).map(({ seq, changeId, orgId }) => ({ seq, changeId, orgId }));
      return { incarnation, head, headChangeId, after, afterChangeId, changes };
    },

    async takePlaces(refs, place) {
      readNewest();
      return refs.map((ref) => {
        takePlace(ref, place);
        const stored = find(ref);
        return stored === undefined
          ? null
          : { secretId: stored.secretId, region: stored.region, account: stored.account };
      });
    },

    put: async (key) => put(key),

    putMany: async (keys) => keys.map(put),

    async remove(ref, { actor }) {
      const { orgId } = ref;
      const head = readNewest().seq;
      takePlace(ref, nodeCrypto().randomUUID());
      const before = find(ref);
      if (before === undefined) return describeChange(orgId, head, null);
      organisations.get(orgId)?.delete(idOf(ref));
      const seq = appendLog(orgId);
      trail.append(orgId, composeAuditRow({ seq, ref, actor, before }));
      return describeChange(orgId, seq, before.secretId);
    },

    async describe(orgId) {
      readNewest();
      return keysOf(orgId)
        .map(toKeyRecord)
        .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    },

    async noteCheck({ verdict, actor, ...ref }) {
      readNewest();
      const { orgId, provider, name, secretId } = ref;
      const key = find(ref);
      if (key?.secretId !== secretId) return false;
      organisations.get(orgId)?.set(idOf(ref), { ...key, verdict, checkedAtMs: Date.now() });
      const { region, account, hint } = key;
      const facts = { seq: null, actor, provider, name, action: "verified", previousSecretId: null } as const;
      trail.append(orgId, { ...facts, secretId, verdict, region, account, hint });
      return true;
    },

    async noteUse({ verdict, ...ref }) {
      readNewest();
      const { orgId, provider, name, secretId } = ref;
      const key = find(ref);
      if (key?.secretId !== secretId) return false;
      if (!changesVerdict(key.verdict, verdict)) return true;
      organisations.get(orgId)?.set(idOf(ref), { ...key, verdict, checkedAtMs: Date.now() });
      if (trail.hasObserved(secretId, verdict)) return true;
      const { region, account, hint } = key;
      const facts = { seq: null, actor: null, provider, name, action: "observed", previousSecretId: null } as const;
      trail.append(orgId, { ...facts, secretId, verdict, region, account, hint });
      return true;
    },

    async noteAttempt(ref, { actor }) {
      readNewest();
      trail.countAttempt(ref, actor);
    },

    async audit(orgId, { before, limit }) {
      readNewest();
      return trail.read(orgId, before, limit);
    },

    async findContradictions() {
      return [];
    },

    async close() {},
  };
}

function findStart(log: readonly TimedRow[], given: LogCursor): number {
  const cursor = copyOwn(given);
  if ("after" in cursor) return cursor.after;
  const sinceMs = Date.now() - cursor.windowMs;
  const older = log.findLast((row) => cursor.windowMs === 0 || row.atMs < sinceMs);
  const newest = log.at(-1)?.seq ?? 0;
  return Math.max((older ?? log[0])?.seq ?? 0, newest - maxWindowRows);
}

function toSealedKey({ provider, name, secretId, region, account, kid, sealed }: OwnKey): SealedKey {
  return { provider, name, secretId, region, account, kid, sealed };
}

/** One text for what tells an organisation's keys apart. */
function idOf({ provider, name }: Pick<KeyRef, "provider" | "name">): string {
  return JSON.stringify([provider, name]);
}

function toKeyRecord({ orgId: _orgId, place: _place, seq: _seq, actor, ...known }: OwnKey): KeyRecord {
  return { ...known, createdBy: actor };
}
