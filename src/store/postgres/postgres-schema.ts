import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { storeUnavailable } from "../store-unavailable.ts";
import { asText } from "./postgres-changes.ts";
import type { PostgresPoolClient } from "./postgres-client.ts";
import { composeFunctions } from "./postgres-functions.ts";

/** One number for all of byokit's migrations: whoever holds this advisory lock migrates. */
const migrationLock = 8_242_609_451;
/** How long a step waits for a lock, in milliseconds: whoever reads a table queues behind it meanwhile. */
const lockMs = 1_000;
/** Between two attempts to get it, in milliseconds. */
const retryMs = 500;

/** The schema's steps; `byok_schema` counts those that were taken. Append, never edit; only add. */
const steps: readonly ((schema: string) => string)[] = [
  (schema) => `
  CREATE TABLE ${schema}.byok_clock (
    id integer PRIMARY KEY CHECK (id = 1), incarnation text NOT NULL, seq bigint NOT NULL
  ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0,
          autovacuum_vacuum_cost_delay = 0);
  CREATE TABLE ${schema}.byok_log (
    seq bigint PRIMARY KEY, org_id text COLLATE "C" NOT NULL, change_id text NOT NULL, at_ms bigint NOT NULL
  );
  CREATE INDEX byok_log_at ON ${schema}.byok_log (at_ms, seq);
  CREATE TABLE ${schema}.byok_org (org_id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL);
  CREATE TABLE ${schema}.byok_place (
    org_id text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    place uuid NOT NULL, PRIMARY KEY (org_id, provider, name)
  ) WITH (fillfactor = 50);
  CREATE TABLE ${schema}.byok_secret (
    org_id text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    secret_id text NOT NULL UNIQUE, seq bigint NOT NULL, region text, kid text NOT NULL, sealed text NOT NULL, hint text,
    verdict text NOT NULL, created_at_ms bigint NOT NULL, created_by text, checked_at_ms bigint,
    PRIMARY KEY (org_id, provider, name)
  );
  CREATE TABLE ${schema}.byok_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, seq bigint, at_ms bigint NOT NULL,
    org_id text COLLATE "C" NOT NULL, actor text, provider text NOT NULL, name text NOT NULL, action text NOT NULL,
    secret_id text, previous_secret_id text, region text, verdict text, hint text, times integer NOT NULL DEFAULT 1,
    minute bigint
  );
  CREATE INDEX byok_audit_of ON ${schema}.byok_audit (org_id, id);
  CREATE UNIQUE INDEX byok_audit_attempts ON ${schema}.byok_audit
    (org_id, provider, name, coalesce(actor, ''), minute) WHERE action = 'attempted';
  CREATE FUNCTION ${schema}.byok_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
  BEGIN
    IF TG_OP = 'UPDATE' THEN
      IF OLD.action = 'attempted' AND NEW.times > OLD.times
        AND to_jsonb(NEW) - 'times' = to_jsonb(OLD) - 'times' THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION 'byok_audit is append-only';
  END $body$;
  CREATE TRIGGER byok_audit_stays BEFORE UPDATE OR DELETE ON ${schema}.byok_audit
    FOR EACH ROW EXECUTE FUNCTION ${schema}.byok_refuse_change();
  CREATE TRIGGER byok_audit_remains BEFORE TRUNCATE ON ${schema}.byok_audit
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.byok_refuse_change();
  ${composeFunctions(schema)}
  INSERT INTO ${schema}.byok_clock (id, incarnation, seq) VALUES (1, '${randomUUID()}', 0);
  INSERT INTO ${schema}.byok_log (seq, org_id, change_id, at_ms)
    VALUES (0, '', '${randomUUID()}', (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  `,
];

/**
 * Takes the steps that are missing; other processes that do the same wait their turn. A schema that is current is read
 * and not written, so that whoever may only use it may call this. `given`: the schema that an option names.
 */
export async function upgradeSchema(client: PostgresPoolClient, given: string | undefined): Promise<void> {
  for (;;) {
    if ((await readVersion(client, given)) === steps.length) return;
    try {
      return await takeSteps(client, given);
    } catch (error) {
      await client.query({ text: "ROLLBACK" });
      if ((error as { code?: unknown }).code !== lockNotAvailable) throw error;
    }
    await pause(retryMs);
  }
}

/** `lock_not_available` (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const lockNotAvailable = "55P03";

async function takeSteps(client: PostgresPoolClient, given: string | undefined): Promise<void> {
  const query = (text: string, values: unknown[] = []) => client.query({ text, values, types: asText });
  await query(`BEGIN ISOLATION LEVEL READ COMMITTED`);
  await query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
  await query(`SELECT set_config('lock_timeout', $1, true)`, [String(lockMs)]);
  const { rows } = await query("SELECT quote_ident(coalesce($1, current_schema())) AS schema", [given ?? null]);
  const { schema } = rows[0] as { schema: string | null };
  if (schema === null)
    throw storeUnavailable("has no schema to create tables in", "Name one with the option `schema`.");
  const version = await readVersion(client, given);
  if (version === 0) {
    await query(`CREATE TABLE ${schema}.byok_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL)`);
    await query(`INSERT INTO ${schema}.byok_schema (id, version) VALUES (1, 0)`);
  }
  for (const step of steps.slice(version)) await query(step(schema));
  await query(`UPDATE ${schema}.byok_schema SET version = $1`, [steps.length]);
  await query("COMMIT");
}

/** 0 where there is no schema of byokit's. */
async function readVersion(client: PostgresPoolClient, given: string | undefined): Promise<number> {
  const where = given === undefined ? "to_regclass('byok_schema')" : "to_regclass(quote_ident($1) || '.byok_schema')";
  const values = given === undefined ? [] : [given];
  const found = await client.query({ text: `SELECT ${where}::text AS name`, values, types: asText });
  const { name } = found.rows[0] as { name: string | null };
  if (name === null) return 0;
  const { rows } = await client.query({ text: `SELECT version FROM ${name}`, types: asText });
  const version = Number((rows[0] as { version: string } | undefined)?.version ?? 0);
  if (version > steps.length) throw storeUnavailable("has a schema of a newer byokit", "Upgrade this process first.");
  return version;
}
