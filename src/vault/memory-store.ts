import { randomUUID } from "node:crypto";
import type { KeyRecord, KeyStore, LogCursor, LogRow, NewKey, SealedKey, StoreChange } from "./key-store.ts";
import { maxLogRows } from "./key-store.ts";
import { noSchema } from "./store-unavailable.ts";

interface StoredKey extends NewKey {
  readonly createdAtMs: number;
}

interface TimedRow extends LogRow {
  readonly atMs: number;
}

/** The most rows of the change log that are kept. */
const maxLog = 100_000;

/**
 * A store in this process's memory, gone with it: for tests and first tries. It keeps every promise of the port but
 * durability. As everywhere, `migrate()` comes first.
 */
export function memoryStore(): KeyStore {
  const incarnation = randomUUID();
  const organisations = new Map<string, Map<string, StoredKey>>();
  const log: TimedRow[] = [];

  const newest = (): TimedRow => {
    const row = log.at(-1);
    if (row === undefined) throw noSchema();
    return row;
  };
  const append = (orgId: string): number => {
    const seq = newest().seq + 1;
    log.push({ seq, orgId, mark: randomUUID(), atMs: Date.now() });
    if (log.length > maxLog) log.shift();
    return seq;
  };
  const changed = (orgId: string, seq: number, secretId: string | null): StoreChange => {
    const keys = [...(organisations.get(orgId)?.values() ?? [])];
    return { seq, secretId, references: Object.fromEntries(keys.map((key) => [key.provider, key.secretId])) };
  };

  return {
    async migrate() {
      if (log.length === 0) log.push({ seq: 0, orgId: "", mark: randomUUID(), atMs: Date.now() });
    },

    async snapshots(orgIds) {
      const { seq: snap, mark } = newest();
      return orgIds.map((orgId) => {
        const keys = [...(organisations.get(orgId)?.values() ?? [])];
        return { orgId, incarnation, snap, mark, keys: keys.map(sealedKeyOf) };
      });
    },

    async poll(cursor) {
      const { seq: head, mark: headMark } = newest();
      const after = startOf(log, cursor);
      const first = log[0]?.seq ?? 0;
      const afterMark = log[after - first]?.mark ?? null;
      const next = Math.max(after + 1 - first, 0);
      const changes = log.slice(next, next + maxLogRows).map(({ seq, mark, orgId }) => ({ seq, mark, orgId }));
      return { incarnation, head, headMark, after, afterMark, changes };
    },

    async put(key) {
      const seq = append(key.orgId);
      const keys = organisations.get(key.orgId) ?? new Map<string, StoredKey>();
      const before = keys.get(key.provider);
      organisations.set(key.orgId, keys.set(key.provider, { ...key, createdAtMs: Date.now() }));
      return changed(key.orgId, seq, before?.secretId ?? null);
    },

    async remove({ orgId, provider }) {
      const head = newest().seq;
      const before = organisations.get(orgId)?.get(provider);
      if (before === undefined) return changed(orgId, head, null);
      organisations.get(orgId)?.delete(provider);
      return changed(orgId, append(orgId), before.secretId);
    },

    async describe(orgId) {
      newest();
      const keys = [...(organisations.get(orgId)?.values() ?? [])];
      return keys.map(recordOf).sort((a, b) => (a.provider < b.provider ? -1 : 1));
    },

    async close() {},
  };
}

function startOf(log: readonly TimedRow[], cursor: LogCursor): number {
  if ("after" in cursor) return cursor.after;
  const sinceMs = Date.now() - cursor.windowMs;
  const older = log.findLast((row) => cursor.windowMs === 0 || row.atMs < sinceMs);
  return (older ?? log[0])?.seq ?? 0;
}

function sealedKeyOf({ provider, secretId, region, kid, sealed }: StoredKey): SealedKey {
  return { provider, secretId, region, kid, sealed };
}

function recordOf({ provider, secretId, region, kid, hint, createdAtMs, actor }: StoredKey): KeyRecord {
  return { provider, secretId, region, kid, hint, createdAtMs, createdBy: actor };
}
