import { DatabaseSync } from "node:sqlite";
import { dayMs, keptDays, minLogRows, nameOrg, providers, type SealedSamples, trailRows } from "./filled-shape.ts";

/** Fills the tables that `migrate()` has made, in one transaction that could not be rolled back. */
export function fillSqlite(path: string, size: number, { kid, samples }: SealedSamples): void {
  const database = new DatabaseSync(path);
  const head = size * providers.length;
  const atMs = `(${Date.now()} - (${head} - seq) * ${keptDays * dayMs} / ${head})`;
  database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;
    PRAGMA temp_store = MEMORY; BEGIN;
    CREATE TEMP TABLE org (at INTEGER PRIMARY KEY, org_id TEXT NOT NULL);
    CREATE TEMP TABLE turn (turn INTEGER PRIMARY KEY, provider TEXT NOT NULL);
    CREATE TEMP TABLE sample (seq INTEGER PRIMARY KEY, secret_id TEXT NOT NULL, sealed TEXT NOT NULL)`);
  const org = database.prepare("INSERT INTO org VALUES (?, ?)");
  for (let index = 0; index < size; index += 1) org.run(index, nameOrg(index));
  for (const [turn, provider] of providers.entries())
    database.prepare("INSERT INTO turn VALUES (?, ?)").run(turn, provider);
  const sample = database.prepare("INSERT INTO sample VALUES (?, ?, ?)");
  for (const { seq, secretId, sealed } of samples) sample.run(seq, secretId, sealed);
  // What lies in the order of its keys is stored in that order, and an index is built once it is known what is in it.
  database
    .prepare(`INSERT INTO byok_secret
      (org_id, provider, name, secret_id, seq, kid, sealed, hint, verdict, created_at_ms, created_by, checked_at_ms)
      SELECT org_id, provider, 'default', coalesce(secret_id, lower(hex(randomblob(18)))), seq, ?, coalesce(sealed, ?),
        '…0000', 'passed', ${atMs}, 'ada', ${atMs}
      FROM (SELECT org_id, provider, at * ${providers.length} + turn + 1 AS seq FROM org, turn)
      LEFT JOIN sample USING (seq) ORDER BY org_id, provider`)
    .run(kid, samples[0]?.sealed ?? "");
  const index = String(database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'byok_audit_of'").get()?.["sql"]);
  const columns = "seq, at_ms, org_id, actor, provider, name, action, secret_id, verdict, hint";
  database.exec(`
    INSERT INTO byok_place (org_id, provider, name, place)
      SELECT org_id, provider, name, lower(hex(randomblob(18))) FROM byok_secret ORDER BY org_id, provider, name;
    DROP INDEX byok_audit_of;
    INSERT INTO byok_audit (${columns})
      SELECT seq, created_at_ms, org_id, 'ada', provider, name, 'added', secret_id, verdict, hint FROM byok_secret ORDER BY seq;
    WITH RECURSIVE many(row) AS (SELECT 1 UNION ALL SELECT row + 1 FROM many WHERE row < ${trailRows})
      INSERT INTO byok_audit (${columns})
      SELECT NULL, at_ms, org_id, actor, provider, name, 'verified', secret_id, verdict, hint
      FROM many, (SELECT * FROM byok_audit WHERE id = 1);
    ${index};
    DELETE FROM byok_log;
    INSERT INTO byok_log (seq, org_id, change_id, at_ms)
      SELECT seq, org_id, lower(hex(randomblob(18))), at_ms FROM byok_audit
      WHERE seq >= ${head} - max(${minLogRows}, ${head} / ${keptDays}) ORDER BY seq;
    UPDATE byok_clock SET seq = ${head};
    COMMIT; PRAGMA journal_mode = WAL`);
  database.close();
}
