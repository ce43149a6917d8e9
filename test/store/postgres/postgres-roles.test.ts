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
