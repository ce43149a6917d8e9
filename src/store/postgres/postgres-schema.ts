import { setTimeout as pause } from "node:timers/promises";
import { storeUnavailable } from "../store-unavailable.ts";
import { asText } from "./postgres-changes.ts";
import type { PostgresPoolClient } from "./postgres-client.ts";
import { schemaSteps } from "./schema-steps.ts";

/** One number for all of byokit's migrations: the process that holds this advisory lock migrates. */
const migrationLock = 8_242_609_451;
/** How long a step waits for a lock, in milliseconds: readers of a table queue behind it meanwhile. */
const lockMs = 1_000;
/** Between two attempts to get it, in milliseconds. */
const retryMs = 500;

/**
 * The SQL that brings a schema, whose name is quoted already, to this release from whatever it is at, in one transaction:
 * an empty one, or one of an earlier release. Safe to repeat.
 */
export function composeMigration(schema: string): string {
  const take = (step: string, index: number): string => `
DO $step$ BEGIN
  IF (SELECT version FROM ${schema}.byok_schema) > ${index} THEN RETURN; END IF;
${step}
  UPDATE ${schema}.byok_schema SET version = ${index + 1};
END $step$;`;
  return `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT pg_advisory_xact_lock(${migrationLock});
SET LOCAL lock_timeout = ${lockMs};
CREATE TABLE IF NOT EXISTS ${schema}.byok_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL);
INSERT INTO ${schema}.byok_schema (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING;
${schemaSteps.map((step, index) => take(step(schema), index)).join("\n")}
COMMIT;
`;
}

/**
 * Takes the steps that are missing; other processes that do the same wait their turn. A schema that is current is read
 * and not written, so that a role that may only use it may call this. `given`: the schema that an option names.
 */
export async function upgradeSchema(client: PostgresPoolClient, given: string | undefined): Promise<void> {
  for (;;) {
    if ((await readVersion(client, given)) === schemaSteps.length) return;
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
  const { rows } = await client.query({
    text: "SELECT quote_ident(coalesce($1, current_schema())) AS schema",
    values: [given ?? null],
    types: asText,
  });
  const { schema } = rows[0] as { schema: string | null };
  if (schema === null)
    throw storeUnavailable("has no schema to create tables in", "Name one with the option `schema`.");
  await client.query({ text: composeMigration(schema) });
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
  if (version > schemaSteps.length)
    throw storeUnavailable("has a schema of a newer byokit", "Upgrade this process first.");
  return version;
}
