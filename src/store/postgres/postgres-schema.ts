import { randomUUID } from "node:crypto";
import { storeUnavailable } from "../store-unavailable.ts";
import type { PostgresPoolClient } from "./postgres-client.ts";

/** One number for all of byokit's migrations: whoever holds this advisory lock migrates. */
const migrationLock = 8_242_609_451;

/** The schema's steps; `byok_schema` counts those that were taken. Append, never edit; only add. */
const steps: readonly string[] = [
  `
  CREATE TABLE byok_clock (
    id integer PRIMARY KEY CHECK (id = 1), incarnation text NOT NULL, seq bigint NOT NULL
  ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0,
          autovacuum_vacuum_cost_delay = 0);
  CREATE TABLE byok_log (
    seq bigint PRIMARY KEY, org_id text COLLATE "C" NOT NULL, change_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE INDEX byok_log_at ON byok_log (at);
  CREATE TABLE byok_secret (
    org_id text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, secret_id text NOT NULL UNIQUE,
    region text, kid text NOT NULL, sealed text NOT NULL, hint text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), created_by text,
    PRIMARY KEY (org_id, provider)
  );
  `,
  `
  ALTER TABLE byok_secret ADD COLUMN verdict text NOT NULL DEFAULT 'skipped', ADD COLUMN checked_at timestamptz;
  CREATE TABLE byok_audit (
    seq bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), org_id text COLLATE "C" NOT NULL,
    actor text, provider text NOT NULL, action text NOT NULL, secret_id text, previous_secret_id text, region text,
    verdict text, hint text
  );
  CREATE INDEX byok_audit_of ON byok_audit (org_id, seq);
  CREATE FUNCTION byok_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'byok_audit is append-only'; END $$;
  CREATE TRIGGER byok_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON byok_audit
    FOR EACH STATEMENT EXECUTE FUNCTION byok_refuse_change();
  `,
];

/** Takes the steps that are missing; other processes that do the same wait their turn. */
export async function upgradeSchema(client: PostgresPoolClient): Promise<void> {
  const query = (text: string, values: unknown[] = []) => client.query({ text, values });
  await query("BEGIN");
  await query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
  await query("CREATE TABLE IF NOT EXISTS byok_schema (version integer NOT NULL)");
  const { rows } = await query("SELECT version FROM byok_schema");
  const version = (rows[0] as { version: number } | undefined)?.version ?? 0;
  if (version > steps.length) throw storeUnavailable("has a schema of a newer byokit", "Upgrade this process first.");
  for (const step of steps.slice(version)) await query(step);
  if (version === 0) {
    await query("INSERT INTO byok_schema (version) VALUES (0)");
    await query("INSERT INTO byok_clock (id, incarnation, seq) VALUES (1, $1, 0)", [randomUUID()]);
    await query("INSERT INTO byok_log (seq, org_id, change_id) VALUES (0, '', $1)", [randomUUID()]);
  }
  await query("UPDATE byok_schema SET version = $1", [steps.length]);
  await query("COMMIT");
}
