import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { KeyStore } from "../../../src/store/key-store.ts";
import type { PostgresPool, PostgresQuery } from "../../../src/store/postgres/postgres-client.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { checkOf, keyOf, refOf } from "../../../src/testing/stored-samples.ts";

const organisations = 20_000;
const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
const name = `byokit_${randomUUID().replaceAll("-", "")}`;
let client: pg.Client;
let sent: PostgresQuery[] = [];
let store: KeyStore;

/** As many that the planner would rather search an index a hundred times than read a table: three keys each, and the log and the audit trail of their changes. */
beforeAll(async () => {
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  client = new pg.Client({ connectionString: url.href });
  await client.connect();
  store = postgresStore({ pool: poolOf(client), timeoutMs: 20_000 });
  await store.migrate();
  const rows = `generate_series(1, ${organisations}) org, unnest(ARRAY['openai', 'deepgram', 'elevenlabs']) provider`;
  const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
  await client.query(`
    INSERT INTO byok_secret (org_id, provider, name, secret_id, seq, kid, sealed, verdict, created_at_ms)
      SELECT 'org-' || org, provider, 'default', org || provider, org, 'kek-1', 'sealed', 'passed', 0 FROM ${rows};
    INSERT INTO byok_place (org_id, provider, name, place)
      SELECT 'org-' || org, provider, 'default', gen_random_uuid() FROM ${rows};
    INSERT INTO byok_audit (seq, at_ms, org_id, provider, name, action, secret_id)
      SELECT org, 0, 'org-' || org, provider, 'default', 'added', org || provider FROM ${rows};
    INSERT INTO byok_org (org_id, version) SELECT 'org-' || org, 1 FROM generate_series(1, ${organisations}) org;
    INSERT INTO byok_log (seq, org_id, change_id, at_ms)
      SELECT seq, 'org-' || seq, seq::text, ${now} FROM generate_series(1, ${organisations}) seq;
    UPDATE byok_clock SET seq = ${organisations}`);
  await client.query("VACUUM ANALYZE");
});
afterAll(async () => {
  await client.end();
  await admin.query(`DROP DATABASE ${name}`);
  await admin.end();
});

/** A pool of that one connection, which notes what is sent. */
function poolOf(one: pg.Client): PostgresPool {
  const client = {
    query: (query: PostgresQuery) => {
      sent.push(query);
      return one.query(query as pg.QueryConfig);
    },
    release: () => {},
    on: () => {},
    removeListener: () => {},
  };
  return { connect: async () => client };
}

type Plan = Readonly<Record<string, unknown>>;

function rowsReadBy(plan: Plan, of = /^byok_/u): number {
  const own = String(plan["Node Type"]).includes("Scan") && of.test(String(plan["Relation Name"]));
  const each = own ? Number(plan["Actual Rows"]) + Number(plan["Rows Removed by Filter"] ?? 0) : 0;
  const inner = ((plan["Plans"] ?? []) as readonly Plan[]).reduce((sum, part) => sum + rowsReadBy(part, of), 0);
  return each * Number(plan["Actual Loops"]) + inner;
}

const literal = (value: unknown): string => {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(", ")}]`;
  return typeof value === "number" ? String(value) : pg.escapeLiteral(String(value));
};

async function rowsRead({ text, values = [] }: PostgresQuery, mode: string, of?: RegExp): Promise<number> {
  await client.query(`SET plan_cache_mode = ${mode}; PREPARE asked AS ${text}`);
  const given = values.length === 0 ? "" : `(${values.map(literal).join(", ")})`;
  const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked${given}`);
  await client.query("DEALLOCATE asked; RESET plan_cache_mode");
  return rowsReadBy(rows[0]["QUERY PLAN"][0].Plan, of);
}

async function rowsTouchedSoFar(): Promise<number> {
  const { rows } =
    await client.query(`SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) + n_tup_ins)::int AS count
    FROM pg_stat_xact_user_tables WHERE relname LIKE 'byok%'`);
  return (rows[0] as { count: number | null }).count ?? 0;
}

/** What is read, how many rows it returns, and how many more it may read: the clock, and the log's newest or oldest row. */
const reads: readonly (readonly [string, (store: KeyStore) => Promise<unknown>, number])[] = [
  ["one organisation's snapshot", (own) => own.snapshots(["org-7"]), 3],
  ["the snapshot of an organisation without keys", (own) => own.snapshots(["nobody"]), 0],
  ["three organisations' snapshots", (own) => own.snapshots(["org-7", "org-8", "org-3000"]), 9],
  ["an organisation's description", (own) => own.describe("org-7"), 3],
  ["an organisation's trail", (own) => own.audit("org-7", { before: null, limit: 2 }), 2],
  ["a page from the log's middle", (own) => own.poll({ after: 2_000 }), 1_001],
  ["the log's head", (own) => own.poll({ after: organisations }), 1],
];

const changes: readonly (readonly [string, (store: KeyStore) => Promise<unknown>, number])[] = [
  ["a key that is stored", (own) => own.put(keyOf("org-7")), 1],
  ["a new organisation's key", (own) => own.put(keyOf("org-new")), 1],
  [
    "three places that are taken",
    (own) =>
      own.takePlaces(
        ["org-7", "org-8", "org-9"].map((org) => refOf(org)),
        randomUUID(),
      ),
    3,
  ],
  [
    "three keys that are stored",
    async (own) => {
      const place = randomUUID();
      const keys = ["org-7", "org-8", "org-9"].map((org) => ({ ...keyOf(org), place }));
      await own.takePlaces(keys, place);
      return await own.putMany(keys);
    },
    6,
  ],
  ["a key that is removed", (own) => own.remove(refOf("org-7"), { actor: null }), 1],
  ["a key that is not there and is removed", (own) => own.remove(refOf("nobody"), { actor: null }), 1],
  ["a check that is noted", (own) => own.noteCheck({ ...checkOf(keyOf("org-7"), "passed"), secretId: "7openai" }), 1],
  [
    "a use that is noted",
    async (own) => await own.noteUse?.({ ...refOf("org-7"), secretId: "7openai", verdict: "invalid" }),
    1,
  ],
  ["an attempt that is noted", (own) => own.noteAttempt(refOf("org-7"), { actor: null }), 1],
];

/** A change reads what it replaces, the clock, its place, and twenty rows of the log's beginning, which it prunes. */
const rowsOfAChange = 40;

describe("a store in Postgres, of many organisations", () => {
  it.each(
    reads.flatMap((read) => ["force_custom_plan", "force_generic_plan"].map((mode) => [...read, mode] as const)),
  )("reads no more rows than it returns: %s", async (_what, read, returned, mode) => {
    sent = [];
    await read(store);
    expect(await rowsRead(sent.at(-1) as PostgresQuery, mode)).toBeLessThanOrEqual(returned + 3);
  });

  it.each(changes)("reads no more rows than it changes: %s", async (_what, change, changed) => {
    await client.query("BEGIN");
    const before = await rowsTouchedSoFar();
    await change(store);
    const read = (await rowsTouchedSoFar()) - before;
    await client.query("ROLLBACK");
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(rowsOfAChange + 10 * changed);
  });

  it.each([
    "force_custom_plan",
    "force_generic_plan",
  ])("reads the head alone of a log that is so short that Postgres would rather read all of it", async (mode) => {
    await client.query("DROP SCHEMA IF EXISTS short CASCADE; CREATE SCHEMA short");
    const short = postgresStore({ pool: poolOf(client), schema: "short", prepare: false, timeoutMs: 20_000 });
    await short.migrate();
    await client.query(`INSERT INTO short.byok_log (seq, org_id, change_id, at_ms)
      SELECT seq, 'org-' || seq, gen_random_uuid()::text, 0 FROM generate_series(1, 300) seq;
      UPDATE short.byok_clock SET seq = 300`);
    await client.query("VACUUM ANALYZE short.byok_log");
    for (const read of [() => short.snapshots(["org-7"]), () => short.snapshots(["a", "b"])]) {
      sent = [];
      await read();
      expect(await rowsRead(sent.at(-1) as PostgresQuery, mode, /^byok_log$/u)).toBeLessThanOrEqual(3);
    }
  });

  it.each<[string, string, (turn: number) => Promise<unknown>]>([
    ["a snapshot of one organisation", "snapshot", (turn) => store.snapshots([`org-${turn}`])],
    ["a poll that shows nothing new", "changes", () => store.poll({ after: organisations })],
    ["a poll that shows changes", "changes", (turn) => store.poll({ after: organisations - turn })],
  ])("plans %s once, and not with every read", async (_what, name, read) => {
    const plans = `SELECT generic_plans::int AS count FROM pg_prepared_statements WHERE name LIKE '%\\_${name}'`;
    const plansSoFar = async (): Promise<number> => (await client.query(plans)).rows[0].count;
    for (let turn = 1; turn <= 6; turn += 1) await read(turn);
    const before = await plansSoFar();
    for (let turn = 1; turn <= 20; turn += 1) await read(turn);
    expect((await plansSoFar()) - before).toBeGreaterThanOrEqual(10);
  });
});
