import { randomUUID } from "node:crypto";
import {
  type AuditRow,
  type KeyRecord,
  type KeyStore,
  type LogCursor,
  type LogRow,
  maxLogRows,
  type NewKey,
  type SealedKey,
  type StoreChange,
} from "./key-store.ts";
import { composeAuditRow, type RemovedSecret } from "./rows/audit-row.ts";
import { toCheckedAt } from "./rows/checked-at.ts";
import { noSchema } from "./store-unavailable.ts";

interface StoredKey extends NewKey {
  readonly createdAtMs: number;
  readonly checkedAtMs: number | null;
}

interface OwnAuditRow extends AuditRow {
  readonly orgId: string;
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
  const incarnation = randomUUID();
  const organisations = new Map<string, Map<string, StoredKey>>();
  const log: TimedRow[] = [];
  const trail: OwnAuditRow[] = [];

  const readNewest = (): TimedRow => {
    const row = log.at(-1);
    if (row === undefined) throw noSchema();
    return row;
  };
  const appendLog = (orgId: string): number => {
    const seq = readNewest().seq + 1;
    log.push({ seq, orgId, changeId: randomUUID(), atMs: Date.now() });
    if (log.length > maxRows) log.shift();
    return seq;
  };
  const appendAudit = (orgId: string, row: Omit<AuditRow, "atMs">): void => {
    trail.push({ orgId, atMs: Date.now(), ...row });
    if (trail.length > maxRows) trail.shift();
  };
  const describeChange = (orgId: string, seq: number, secretId: string | null): StoreChange => {
    const keys = [...(organisations.get(orgId)?.values() ?? [])];
    return { seq, secretId, references: Object.fromEntries(keys.map((key) => [key.provider, key.secretId])) };
  };

  return {
    async migrate() {
      if (log.length === 0) log.push({ seq: 0, orgId: "", changeId: randomUUID(), atMs: Date.now() });
    },

    async snapshots(orgIds) {
      const { seq: asOf, changeId } = readNewest();
      return orgIds.map((orgId) => {
        const keys = [...(organisations.get(orgId)?.values() ?? [])];
        return { orgId, incarnation, asOf, changeId, keys: keys.map(toSealedKey) };
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

    async put(key) {
      const { orgId, provider, actor } = key;
      const seq = appendLog(orgId);
      const keys = organisations.get(orgId) ?? new Map<string, StoredKey>();
      const before: RemovedSecret | undefined = keys.get(provider);
      const createdAtMs = Date.now();
      organisations.set(
        orgId,
        keys.set(provider, { ...key, createdAtMs, checkedAtMs: toCheckedAt(key.verdict, createdAtMs) }),
      );
      appendAudit(orgId, composeAuditRow({ seq, actor, provider, before, stored: key }));
      return describeChange(orgId, seq, before?.secretId ?? null);
    },

    async remove({ orgId, provider }, { actor }) {
      const head = readNewest().seq;
      const before = organisations.get(orgId)?.get(provider);
      if (before === undefined) return describeChange(orgId, head, null);
      organisations.get(orgId)?.delete(provider);
      const seq = appendLog(orgId);
      appendAudit(orgId, composeAuditRow({ seq, actor, provider, before }));
      return describeChange(orgId, seq, before.secretId);
    },

    async describe(orgId) {
      readNewest();
      const keys = [...(organisations.get(orgId)?.values() ?? [])];
      return keys.map(toKeyRecord).sort((a, b) => (a.provider < b.provider ? -1 : 1));
    },

    async noteCheck({ orgId, provider, secretId, verdict }) {
      readNewest();
      const key = organisations.get(orgId)?.get(provider);
      if (key?.secretId !== secretId) return false;
      organisations.get(orgId)?.set(provider, { ...key, verdict, checkedAtMs: Date.now() });
      return true;
    },

    async audit(orgId, { before, limit }) {
      readNewest();
      const own = trail.filter((row) => row.orgId === orgId && row.seq < (before ?? Number.POSITIVE_INFINITY));
      return own
        .reverse()
        .slice(0, limit)
        .map(({ orgId: _orgId, ...row }) => row);
    },

    async close() {},
  };
}

function findStart(log: readonly TimedRow[], cursor: LogCursor): number {
  if ("after" in cursor) return cursor.after;
  const sinceMs = Date.now() - cursor.windowMs;
  const older = log.findLast((row) => cursor.windowMs === 0 || row.atMs < sinceMs);
  return (older ?? log[0])?.seq ?? 0;
}

function toSealedKey({ provider, secretId, region, kid, sealed }: StoredKey): SealedKey {
  return { provider, secretId, region, kid, sealed };
}

function toKeyRecord({ orgId: _orgId, actor, ...known }: StoredKey): KeyRecord {
  return { ...known, createdBy: actor };
}
