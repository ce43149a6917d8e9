import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { NewKey } from "../../../src/store/key-change.ts";
import type { KeyStore } from "../../../src/store/key-store.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";

const database = `roles_${randomUUID().slice(0, 8)}`;
const [manager, worker] = [`manager_${randomUUID().slice(0, 8)}`, `worker_${randomUUID().slice(0, 8)}`];
const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
const pools: pg.Pool[] = [];
const poolAs = (user?: string): pg.Pool => {
  const url = new URL(inject("postgresUrl"));
  url.pathname = database;
  if (user !== undefined) [url.username, url.password] = [user, "secret"];
  const pool = new pg.Pool({ connectionString: url.href, max: 3 });
  pool.on("error", () => {});
  pools.push(pool);
  return pool;
};
const key = (orgId: string): NewKey => ({
  orgId,
  provider: "openai",
  name: "default",
  secretId: randomUUID(),
  region: null,
  account: null,
  kid: "kek-1",
  sealed: randomUUID(),
  hint: null,
  actor: null,
  verdict: "skipped",
  place: null,
});
const ref = { orgId: "org", provider: "openai", name: "default" };

let stores: { readonly manager: KeyStore; readonly worker: KeyStore };

beforeAll(async () => {
  await admin.query(`CREATE DATABASE ${database}`);
  for (const role of [manager, worker]) await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  const owner = poolAs();
  await owner.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  await postgresStore({ pool: owner }).migrate();
  await owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${manager}, ${worker}`);
  const changes = [
    "byok_places_2",
    "byok_put_2",
    "byok_put_many_2",
    "byok_remove_2",
    "byok_note_check_2",
    "byok_note_attempt_1",
  ];
  for (const name of changes) await owner.query(`GRANT EXECUTE ON FUNCTION ${name} TO ${manager}`);
  await owner.query(`GRANT EXECUTE ON FUNCTION byok_note_use_3 TO ${worker}`);
  stores = { manager: postgresStore({ pool: poolAs(manager) }), worker: postgresStore({ pool: poolAs(worker) }) };
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await admin.query(`DROP DATABASE ${database}`);
  for (const role of [manager, worker]) await admin.query(`DROP ROLE ${role}`);
  await admin.end();
});

it("a manager that may only call the functions changes, notes and reads", async () => {
  const stored = key("org");
  expect(await stores.manager.takePlaces([ref], randomUUID())).toEqual([null]);
  expect(await stores.manager.put(stored)).toMatchObject({ secretId: null });
  expect(await stores.manager.noteCheck({ ...stored, verdict: "passed" })).toBe(true);
  await stores.manager.noteAttempt(ref, { actor: "ann" });
  expect(await stores.manager.remove(ref, { actor: "ann" })).toMatchObject({ secretId: stored.secretId });
  const actions = (await stores.manager.audit("org", { before: null, limit: 9 })).map(({ action }) => action);
  expect(actions).toEqual(["removed", "attempted", "verified", "added"]);
});

it("a manager cannot change a key, the log or the trail beside the functions", async () => {
  const pool = poolAs(manager);
  for (const edit of [
    "INSERT INTO byok_audit (at_ms, org_id, provider, name, action) VALUES (0, 'org', 'openai', 'default', 'added')",
    "DELETE FROM byok_secret",
    "UPDATE byok_clock SET seq = 0",
    "DELETE FROM byok_log",
    "SELECT byok_append_1('org', 0)",
  ]) {
    await expect(pool.query(edit)).rejects.toMatchObject({ code: "42501" });
  }
});

it("a worker reads, and calls nothing that changes", async () => {
  await stores.manager.put(key("of-worker"));
  expect(await stores.worker.snapshots(["of-worker"])).toMatchObject([{ keys: [{ provider: "openai" }] }]);
  expect((await stores.worker.poll({ after: 0 })).head).toBeGreaterThan(0);
  await expect(stores.worker.remove({ ...ref, orgId: "of-worker" }, { actor: null })).rejects.toMatchObject({
    code: "store_unavailable",
  });
  await expect(stores.worker.put(key("of-worker"))).rejects.toMatchObject({ code: "store_unavailable" });
});

it("a worker notes what a call found out, and changes nothing else by it", async () => {
  const readAll = async () => {
    const { rows } = await owner.query(`SELECT (SELECT json_agg(to_jsonb(byok_secret) - 'verdict' - 'checked_at_ms'
        ORDER BY secret_id) FROM byok_secret) AS keys, (SELECT json_agg(byok_clock) FROM byok_clock) AS clock,
      (SELECT count(*) FROM byok_log) AS log, (SELECT json_agg(byok_place ORDER BY org_id, provider) FROM byok_place) AS places`);
    return rows;
  };
  const owner = poolAs();
  const stored = key("of-call");
  await stores.manager.put(stored);
  const before = await readAll();
  for (let round = 0; round < 3; round += 1) {
    for (const verdict of ["invalid", "exhausted", "passed"] as const) {
      expect(await stores.worker.noteUse?.({ ...stored, verdict })).toBe(true);
      expect(await stores.worker.describe("of-call")).toMatchObject([{ verdict }]);
    }
  }
  expect(await stores.worker.noteUse?.({ ...stored, secretId: "forged", verdict: "invalid" })).toBe(false);
  expect(await stores.worker.noteUse?.({ ...key("nobody"), verdict: "invalid" })).toBe(false);
  expect(await readAll()).toEqual(before);
  const trail = await stores.worker.audit("of-call", { before: null, limit: 99 });
  expect(trail.map(({ action, actor, verdict }) => [action, actor, verdict])).toEqual([
    ["observed", null, "passed"],
    ["observed", null, "exhausted"],
    ["observed", null, "invalid"],
    ["added", null, "skipped"],
  ]);
  expect(await stores.worker.audit("nobody", { before: null, limit: 9 })).toEqual([]);
});

it.each([
  "'restricted'",
  "'skipped'",
  "'of-my-own'",
  "NULL",
])("a worker has no word to note but passed, invalid and exhausted: %s", async (verdict) => {
  const stored = key(`worded-${randomUUID()}`);
  await stores.manager.put(stored);
  const call = `SELECT byok_note_use_3('${stored.orgId}', 'openai', 'default', '${stored.secretId}', ${verdict}, 1000)`;
  await expect(poolAs(worker).query(call)).rejects.toMatchObject({ code: "22023" });
  expect(await stores.worker.describe(stored.orgId)).toMatchObject([{ verdict: "skipped", checkedAtMs: null }]);
});

it("a worker whose transaction stays open holds changes of that key up, and no longer than that", async () => {
  const stored = key("held");
  const held = { orgId: "held", provider: "openai", name: "default" };
  await stores.manager.put(stored);
  const client = await poolAs(worker).connect();
  await client.query(
    `BEGIN; SELECT byok_note_use_3('held', 'openai', 'default', '${stored.secretId}', 'invalid', 1000)`,
  );
  const hasty = postgresStore({ pool: poolAs(manager), timeoutMs: 200 });
  await expect(hasty.remove(held, { actor: null })).rejects.toMatchObject({ code: "store_unavailable" });
  client.release(true);
  // The one whose time was up may have been carried out since.
  await stores.manager.remove(held, { actor: null });
  expect(await stores.manager.describe("held")).toEqual([]);
});

it("a worker may call one function, and write to no table", async () => {
  const { rows } = await poolAs(worker).query(`
    SELECT proname::text AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'byok%'
      AND prorettype <> 'trigger'::regtype AND has_function_privilege(oid, 'EXECUTE')
    UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')`);
  expect(rows).toEqual([{ name: "byok_note_use_3" }]);
});

it("neither needs a right to create anything where the schema is current: migrate() writes nothing", async () => {
  await Promise.all([stores.manager.migrate(), stores.worker.migrate()]);
});

it("names of another schema that comes first in the path of a caller change nothing", async () => {
  const pool = poolAs(manager);
  const owner = poolAs();
  await owner.query(`CREATE SCHEMA AUTHORIZATION ${manager}`);
  await pool.query(
    `CREATE TABLE ${manager}.byok_clock (id integer, seq bigint); INSERT INTO ${manager}.byok_clock VALUES (1, 0)`,
  );
  await pool.query(`SET search_path = ${manager}, public`);
  await stores.manager.put(key("other"));
  expect((await pool.query(`SELECT seq::text FROM ${manager}.byok_clock`)).rows).toEqual([{ seq: "0" }]);
});
