import { randomUUID } from "node:crypto";
import { ByokError } from "../../errors.ts";
import { positiveMs } from "../../options.ts";
import { type AuditRow, type KeyRef, type KeyStore, type LogRow, maxLogRows, type StoreChange } from "../key-store.ts";
import { composeAuditRow, type RemovedSecret, toRemovedSecret } from "../rows/audit-row.ts";
import { toCheckedAt } from "../rows/checked-at.ts";
import { groupSealedKeys, type SealedRow } from "../rows/sealed-row.ts";
import { toAuditRow, toKeyRecord } from "../rows/stored-rows.ts";
import { noSchema } from "../store-unavailable.ts";
import { type Prepare, SqliteFile } from "./sqlite-file.ts";
import {
  auditSql,
  deleteSql,
  describeSql,
  type HeadRow,
  insertAuditSql,
  insertSql,
  noteCheckSql,
  type PollRow,
  pollSql,
  pruneSql,
  snapshotSql,
} from "./sqlite-statements.ts";

export interface SqliteStoreOptions {
  /** The database's file. Nothing but `migrate()` creates it: a wrong working directory would otherwise found an empty store. */
  readonly path: string;
  /** The longest that one call takes, waiting for other writers included. @default 1_000 */
  readonly timeoutMs?: number;
  /** How long rows of the change log are kept. A worker that was away longer forgets everything. @default 86_400_000 */
  readonly logKeepMs?: number;
}

/**
 * A store in one file, through `node:sqlite`: the embedded default, for the processes of one machine. Not for a network
 * file system.
 *
 * @throws ByokError `options_invalid`
 */
export function sqliteStore({ path, timeoutMs = 1_000, logKeepMs = 86_400_000 }: SqliteStoreOptions): KeyStore {
  if (typeof path !== "string" || path === "" || path.startsWith(":") || path.startsWith("file:")) {
    const message = '"path" must be the path of a file. For a store in memory take memoryStore().';
    throw new ByokError("options_invalid", message);
  }
  const file = new SqliteFile(path, positiveMs("timeoutMs", timeoutMs));
  const keepMs = positiveMs("logKeepMs", logKeepMs);

  return {
    migrate: () => file.migrate(),

    snapshots: (orgIds) =>
      file.read((prepare) => {
        const rows = prepare(snapshotSql).all(JSON.stringify(orgIds)) as unknown as (HeadRow & SealedRow)[];
        const [head] = rows;
        if (head === undefined) throw noSchema();
        const keys = groupSealedKeys(rows);
        const { incarnation, seq: asOf, change_id: changeId } = head;
        return orgIds.map((orgId) => ({
          orgId,
          incarnation,
          asOf,
          changeId,
          keys: keys.get(orgId) ?? [],
        }));
      }),

    poll: (cursor) => {
      file.refresh();
      return file.read((prepare) => {
        const after = "after" in cursor ? cursor.after : null;
        const since = "after" in cursor || cursor.windowMs === 0 ? null : Date.now() - cursor.windowMs;
        const rows = prepare(pollSql).all({ after, since, limit: maxLogRows + 1 }) as unknown as PollRow[];
        const [first] = rows;
        if (first === undefined) throw noSchema();
        const { incarnation, head, head_change_id: headChangeId, start } = first;
        const changes = rows.filter((row) => row.seq !== null && row.seq > start).slice(0, maxLogRows);
        const afterChangeId = rows.find((row) => row.seq === start)?.change_id ?? null;
        return { incarnation, head, headChangeId, after: start, afterChangeId, changes: changes.map(toLogRow) };
      });
    },

    put: (key) =>
      file.write((prepare) => {
        const { orgId, provider, secretId, region, kid, sealed, hint, actor, verdict } = key;
        const now = Date.now();
        const seq = appendLog(prepare, orgId, keepMs);
        const before = removeSecret(prepare, key);
        const checkedAt = toCheckedAt(verdict, now);
        const values = [orgId, provider, secretId, region, kid, sealed, hint, now, actor, verdict, checkedAt];
        prepare(insertSql).run(...values);
        appendAudit(prepare, orgId, composeAuditRow({ seq, actor, provider, before, stored: key }));
        return readChange(prepare, orgId, seq, before?.secretId ?? null);
      }),

    remove: (ref, { actor }) =>
      file.write((prepare) => {
        const { orgId, provider } = ref;
        const before = removeSecret(prepare, ref);
        if (before === undefined) {
          const head = prepare("SELECT seq FROM byok_clock WHERE id = 1").get()?.["seq"];
          return readChange(prepare, orgId, Number(head), null);
        }
        const seq = appendLog(prepare, orgId, keepMs);
        appendAudit(prepare, orgId, composeAuditRow({ seq, actor, provider, before }));
        return readChange(prepare, orgId, seq, before.secretId);
      }),

    describe: (orgId) => file.read((prepare) => prepare(describeSql).all(orgId).map(toKeyRecord)),

    noteCheck: ({ orgId, provider, secretId, verdict }) =>
      file.write((prepare) => {
        const values = { orgId, provider, secretId, verdict, at: Date.now() };
        return Number(prepare(noteCheckSql).run(values).changes) > 0;
      }),

    audit: (orgId, { before, limit }) =>
      file.read((prepare) => prepare(auditSql).all({ orgId, before, limit }).map(toAuditRow)),

    async close() {
      file.close();
    },
  };
}

function appendLog(prepare: Prepare, orgId: string, keepMs: number): number {
  const seq = Number(prepare("UPDATE byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq").get()?.["seq"]);
  prepare("INSERT INTO byok_log (seq, org_id, change_id, at_ms) VALUES (?, ?, ?, ?)").run(
    seq,
    orgId,
    randomUUID(),
    Date.now(),
  );
  prepare(pruneSql).run({ seq, since: Date.now() - keepMs });
  return seq;
}

function removeSecret(prepare: Prepare, { orgId, provider }: KeyRef): RemovedSecret | undefined {
  const row = prepare(deleteSql).get(orgId, provider);
  return row && toRemovedSecret(row);
}

function appendAudit(prepare: Prepare, orgId: string, row: Omit<AuditRow, "atMs">): void {
  const { seq, actor, provider, action, secretId, previousSecretId, region, verdict, hint } = row;
  const values = [seq, Date.now(), orgId, actor, provider, action, secretId, previousSecretId, region, verdict, hint];
  prepare(insertAuditSql).run(...values);
}

function readChange(prepare: Prepare, orgId: string, seq: number, secretId: string | null): StoreChange {
  const rows = prepare("SELECT provider, secret_id FROM byok_secret WHERE org_id = ?").all(orgId);
  const references = Object.fromEntries(rows.map((row) => [String(row["provider"]), String(row["secret_id"])]));
  return { seq, secretId, references };
}

function toLogRow({ seq, org_id: orgId, change_id: changeId }: PollRow): LogRow {
  return { seq: Number(seq), orgId, changeId };
}
