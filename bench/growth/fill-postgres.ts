import type pg from "pg";
import { dayMs, keptDays, minLogRows, providers, type SealedSamples, trailRows } from "./filled-shape.ts";

/** Fills the tables that `migrate()` has made, by statements of the server's own. */
export async function fillPostgres(pool: pg.Pool, size: number, { kid, samples }: SealedSamples): Promise<void> {
  const client = await pool.connect();
  const head = size * providers.length;
  const atMs = `((extract(epoch FROM now()) * 1000)::bigint - (${head} - seq) * ${keptDays * dayMs} / ${head})`;
  const org = `'org-' || md5(((seq - 1) / ${providers.length})::text)`;
  const provider = `(ARRAY['${providers.join("', '")}'])[1 + (seq - 1) % ${providers.length}]`;
  const secret = "md5('secret-' || seq)::uuid::text";
  const every = `generate_series(1::bigint, ${head}) AS every(seq)`;
  const audit = "byok_audit (seq, at_ms, org_id, actor, provider, name, action, secret_id, verdict, hint)";
  try {
    await client.query("BEGIN");
    await client.query("SET LOCAL maintenance_work_mem = '512MB'");
    const restore = await dropIndexes(client, ["byok_place", "byok_secret", "byok_audit"]);
    await client.query("CREATE TEMPORARY TABLE sample (seq bigint PRIMARY KEY, sealed text NOT NULL) ON COMMIT DROP");
    await client.query("INSERT INTO sample SELECT * FROM jsonb_to_recordset($1) AS given(seq bigint, sealed text)", [
      JSON.stringify(samples),
    ]);
    await client.query(`INSERT INTO byok_place (org_id, provider, name, place)
      SELECT ${org}, ${provider}, 'default', md5('place-' || seq)::uuid FROM ${every}`);
    await client.query(
      `INSERT INTO byok_secret
        (org_id, provider, name, secret_id, seq, kid, sealed, hint, verdict, created_at_ms, created_by, checked_at_ms)
      SELECT ${org}, ${provider}, 'default', ${secret}, seq, $1, coalesce(sample.sealed, $2), '…0000', 'passed', ${atMs}, 'ada', ${atMs}
      FROM ${every} LEFT JOIN sample USING (seq)`,
      [kid, samples[0]?.sealed],
    );
    await client.query(`INSERT INTO ${audit}
      SELECT seq, ${atMs}, ${org}, 'ada', ${provider}, 'default', 'added', ${secret}, 'passed', '…0000' FROM ${every}`);
    await client.query(`INSERT INTO ${audit}
      SELECT NULL, ${atMs}, ${org}, 'ada', ${provider}, 'default', 'verified', ${secret}, 'passed', '…0000'
      FROM generate_series(1, ${trailRows}), (SELECT 1::bigint AS seq) first`);
    await client.query("DELETE FROM byok_log");
    await client.query(`INSERT INTO byok_log (seq, org_id, change_id, at_ms)
      SELECT seq, ${org}, gen_random_uuid()::text, ${atMs}
      FROM generate_series(${head} - greatest(${minLogRows}, ${head} / ${keptDays}), ${head}) AS every(seq)`);
    await client.query("UPDATE byok_clock SET seq = $1", [head]);
    await client.query(restore);
    await client.query("COMMIT");
    await client.query("VACUUM ANALYZE byok_clock, byok_log, byok_place, byok_secret, byok_audit");
  } finally {
    client.release(true);
  }
}

/** Resolves to the statements that make them again: an index is built faster once it is known what is in it. */
async function dropIndexes(client: pg.PoolClient, tables: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ drop: string; restore: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS restore
    FROM pg_constraint WHERE contype IN ('p', 'u') AND conrelid = ANY ($1::regclass[])
    UNION ALL SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY ($1::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))`,
    [tables],
  );
  for (const { drop } of rows) await client.query(drop);
  return rows.map(({ restore }) => restore).join("; ");
}
