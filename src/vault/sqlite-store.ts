import { randomUUID } from "node:crypto";
import { ByokError } from "../errors.ts";
import { positiveMs } from "../options.ts";
import { type KeyStore, type LogRow, maxLogRows, type StoreChange } from "./key-store.ts";
import { type SealedRow, sealedKeys } from "./sealed-row.ts";
import { type Prepare, SqliteFile } from "./sqlite-file.ts";
import { noSchema } from "./store-unavailable.ts";

export interface SqliteStoreOptions {
  /** The database's file. Nothing but `migrate()` creates it: a wrong working directory would otherwise found an empty store. */
  readonly path: string;
  /** The longest that one call takes, waiting for other writers included. @default 1_000 */
  readonly timeoutMs?: number;
  /** How long rows of the change log are kept. A worker that was away longer forgets everything. @default 86_400_000 */
  readonly logKeepMs?: number;
}

interface HeadRow {
  readonly incarnation: string;
  readonly seq: number;
  readonly mark: string;
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
        const keys = sealedKeys(rows);
        const { incarnation, seq: snap, mark } = head;
        return orgIds.map((orgId) => ({
          orgId,
          incarnation,
          snap,
          mark,
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
        const { incarnation, head, head_mark: headMark, start } = first;
        const changes = rows.filter((row) => row.seq !== null && row.seq > start).slice(0, maxLogRows);
        const afterMark = rows.find((row) => row.seq === start)?.mark ?? null;
        return { incarnation, head, headMark, after: start, afterMark, changes: changes.map(logRow) };
      });
    },

    put: (key) =>
      file.write((prepare) => {
        const { orgId, provider, secretId, region, kid, sealed, hint, actor } = key;
        const seq = append(prepare, orgId, keepMs);
        const before = prepare(deleteSql).get(orgId, provider)?.["secret_id"];
        prepare(insertSql).run(orgId, provider, secretId, region, kid, sealed, hint, Date.now(), actor);
        return change(prepare, orgId, seq, before);
      }),

    remove: ({ orgId, provider }) =>
      file.write((prepare) => {
        const before = prepare(deleteSql).get(orgId, provider)?.["secret_id"];
        const head = prepare("SELECT seq FROM byok_clock WHERE id = 1").get()?.["seq"];
        return change(prepare, orgId, before === undefined ? Number(head) : append(prepare, orgId, keepMs), before);
      }),

    describe: (orgId) =>
      file.read((prepare) =>
        prepare(describeSql)
          .all(orgId)
          .map((row) => ({
            provider: String(row["provider"]),
            secretId: String(row["secret_id"]),
            region: row["region"] as string | null,
            kid: String(row["kid"]),
            hint: row["hint"] as string | null,
            createdAtMs: Number(row["created_at_ms"]),
            createdBy: row["created_by"] as string | null,
          })),
      ),

    async close() {
      file.close();
    },
  };
}

const snapshotSql = `
  SELECT clock.incarnation, clock.seq, log.mark, secret.*
  FROM byok_clock clock
  JOIN byok_log log ON log.seq = clock.seq
  LEFT JOIN byok_secret secret ON secret.org_id IN (SELECT value FROM json_each(?))
  WHERE clock.id = 1`;

const pollSql = `
  WITH start AS (SELECT coalesce(
    $after,
    CASE WHEN $since IS NOT NULL THEN coalesce(
      (SELECT max(seq) FROM byok_log WHERE at_ms < $since), (SELECT min(seq) FROM byok_log)) END,
    (SELECT max(seq) FROM byok_log)) AS seq)
  SELECT clock.incarnation, clock.seq AS head, newest.mark AS head_mark, start.seq AS start, log.seq, log.org_id, log.mark
  FROM byok_clock clock
  JOIN start
  JOIN byok_log newest ON newest.seq = clock.seq
  LEFT JOIN byok_log log ON log.seq >= start.seq
  WHERE clock.id = 1 ORDER BY log.seq LIMIT $limit`;

/** A few rows with every change, from the beginning of the log up to the first that is young, never the newest. */
const pruneSql = `
  WITH oldest AS (SELECT seq, at_ms FROM byok_log ORDER BY seq LIMIT 20)
  DELETE FROM byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < $seq
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE at_ms >= $since), $seq))`;

const deleteSql = "DELETE FROM byok_secret WHERE org_id = ? AND provider = ? RETURNING secret_id";

const insertSql = `INSERT INTO byok_secret
  (org_id, provider, secret_id, region, kid, sealed, hint, created_at_ms, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const describeSql = "SELECT * FROM byok_secret WHERE org_id = ? ORDER BY provider";

interface PollRow {
  readonly incarnation: string;
  readonly head: number;
  readonly head_mark: string;
  readonly start: number;
  readonly seq: number | null;
  readonly org_id: string;
  readonly mark: string;
}

function append(prepare: Prepare, orgId: string, keepMs: number): number {
  const seq = Number(prepare("UPDATE byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq").get()?.["seq"]);
  prepare("INSERT INTO byok_log (seq, org_id, mark, at_ms) VALUES (?, ?, ?, ?)").run(
    seq,
    orgId,
    randomUUID(),
    Date.now(),
  );
  prepare(pruneSql).run({ seq, since: Date.now() - keepMs });
  return seq;
}

function change(prepare: Prepare, orgId: string, seq: number, before: unknown): StoreChange {
  const rows = prepare("SELECT provider, secret_id FROM byok_secret WHERE org_id = ?").all(orgId);
  const references = Object.fromEntries(rows.map((row) => [String(row["provider"]), String(row["secret_id"])]));
  return { seq, secretId: typeof before === "string" ? before : null, references };
}

function logRow({ seq, org_id: orgId, mark }: PollRow): LogRow {
  return { seq: Number(seq), orgId, mark };
}
