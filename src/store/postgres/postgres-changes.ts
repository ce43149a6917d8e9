import { randomUUID } from "node:crypto";
import type { AuditRow, KeyRef, NewKey, StoreChange } from "../key-store.ts";
import { composeAuditRow, type RemovedSecret, toRemovedSecret } from "../rows/audit-row.ts";
import { noSchema } from "../store-unavailable.ts";
import type { PostgresPoolClient } from "./postgres-client.ts";

/** Stores a key, inside a transaction of the caller's. */
export async function putKey(client: PostgresPoolClient, key: NewKey, logKeepMs: number): Promise<StoreChange> {
  const { orgId, provider, secretId, region, kid, sealed, hint, actor, verdict } = key;
  const seq = await appendLog(client, orgId, logKeepMs);
  const before = await removeSecret(client, key);
  const values = [orgId, provider, secretId, region, kid, sealed, hint, actor, verdict];
  await client.query({ text: insertSql, values });
  await appendAudit(client, orgId, composeAuditRow({ seq, actor, provider, before, stored: key }));
  return { seq, secretId: before?.secretId ?? null, references: await readReferences(client, orgId) };
}

/** Removes a key, inside a transaction of the caller's; ends that itself where there is none. */
export async function removeKey(
  client: PostgresPoolClient,
  ref: KeyRef,
  actor: string | null,
  logKeepMs: number,
): Promise<StoreChange> {
  const { orgId, provider } = ref;
  const seq = await appendLog(client, orgId, logKeepMs);
  const before = await removeSecret(client, ref);
  if (before === undefined) {
    await client.query({ text: "ROLLBACK" });
    return { seq: seq - 1, secretId: null, references: await readReferences(client, orgId) };
  }
  await appendAudit(client, orgId, composeAuditRow({ seq, actor, provider, before }));
  return { seq, secretId: before.secretId, references: await readReferences(client, orgId) };
}

/** The clock row is locked by a statement of its own, before anything is read that depends on the order of changes. */
async function appendLog(client: PostgresPoolClient, orgId: string, logKeepMs: number): Promise<number> {
  const { rows } = await client.query({ text: "UPDATE byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq" });
  const [row] = rows as { seq: string }[];
  if (row === undefined) throw noSchema();
  const seq = Number(row.seq);
  const values = [seq, orgId, randomUUID()];
  await client.query({ text: "INSERT INTO byok_log (seq, org_id, change_id) VALUES ($1, $2, $3)", values });
  await client.query({ name: "byok_prune", text: pruneSql, values: [seq, logKeepMs] });
  return seq;
}

async function removeSecret(
  client: PostgresPoolClient,
  { orgId, provider }: KeyRef,
): Promise<RemovedSecret | undefined> {
  const text = "DELETE FROM byok_secret WHERE org_id = $1 AND provider = $2 RETURNING secret_id, region, hint";
  const { rows } = await client.query({ text, values: [orgId, provider] });
  const [row] = rows as Record<string, unknown>[];
  return row && toRemovedSecret(row);
}

async function appendAudit(client: PostgresPoolClient, orgId: string, row: Omit<AuditRow, "atMs">): Promise<void> {
  const { seq, actor, provider, action, secretId, previousSecretId, region, verdict, hint } = row;
  const values = [seq, orgId, actor, provider, action, secretId, previousSecretId, region, verdict, hint];
  await client.query({ text: insertAuditSql, values });
}

async function readReferences(client: PostgresPoolClient, orgId: string): Promise<Readonly<Record<string, string>>> {
  const text = "SELECT provider, secret_id FROM byok_secret WHERE org_id = $1";
  const { rows } = await client.query({ text, values: [orgId] });
  return Object.fromEntries(
    (rows as { provider: string; secret_id: string }[]).map((row) => [row.provider, row.secret_id]),
  );
}

const insertSql = `INSERT INTO byok_secret
  (org_id, provider, secret_id, region, kid, sealed, hint, created_by, verdict, checked_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text,
    CASE WHEN $9::text IN ('passed', 'restricted') THEN clock_timestamp() END)`;

const insertAuditSql = `INSERT INTO byok_audit
  (seq, org_id, actor, provider, action, secret_id, previous_secret_id, region, verdict, hint)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

/** A few rows with every change, from the beginning of the log up to the first that is young, never the newest. */
const pruneSql = `
  WITH oldest AS (SELECT seq, at < clock_timestamp() - $2::double precision * interval '1 millisecond' AS is_old
    FROM byok_log ORDER BY seq LIMIT 20)
  DELETE FROM byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < $1::bigint
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE NOT is_old), $1::bigint))`;
