import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { NewKey } from "../../../src/store/key-change.ts";
import type { PostgresPool, PostgresQuery } from "../../../src/store/postgres/postgres-client.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { type Forwarder, forwarder } from "../../servers/forwarder.ts";
import { waitFor } from "../../support/wait-for.ts";

const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
const database = `far_${randomUUID().slice(0, 8)}`;
const ref = { orgId: "org", provider: "openai", name: "default" };
const newKey = (orgId: string): NewKey => ({
  ...ref,
  orgId,
  secretId: randomUUID(),
  region: null,
  account: null,
  kid: "kek-1",
  sealed: "sealed",
  hint: null,
  actor: null,
  verdict: "skipped",
  place: null,
});
let away: Forwarder;
let pool: pg.Pool;

beforeAll(async () => {
  await admin.query(`CREATE DATABASE ${database}`);
  const url = new URL(inject("postgresUrl"));
  away = await forwarder(Number(url.port || 5_432), 75);
  [url.pathname, url.hostname, url.port] = [database, "127.0.0.1", String(away.port)];
  pool = new pg.Pool({ connectionString: url.href, connectionTimeoutMillis: 3_000 });
  await postgresStore({ pool }).migrate();
});
afterAll(async () => {
  await pool.end();
  await away.close();
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
});

it("each read and each change is one statement, and so one round trip", async () => {
  const sent: PostgresQuery[] = [];
  const spying: PostgresPool = {
    async connect() {
      const client = await pool.connect();
      return {
        query: (query: PostgresQuery) => {
          sent.push(query);
          return client.query(query as pg.QueryConfig);
        },
        release: () => client.release(),
        on: () => {},
        removeListener: () => {},
      };
    },
  };
  const store = postgresStore({ pool: spying, timeoutMs: 20_000 });
  await store.snapshots(["org"]);
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.snapshots(["org", "other"]),
    () => store.poll({ after: 0 }),
    () => store.takePlaces([ref], randomUUID()),
    () => store.put(newKey("org")),
    () => store.describe("org"),
    () => store.audit("org", { before: null, limit: 9 }),
    () => store.noteAttempt(ref, { actor: null }),
    () => store.remove(ref, { actor: null }),
  ];
  for (const call of calls) {
    sent.length = 0;
    await call();
    expect(sent).toHaveLength(1);
  }
});

it("a store with its options as they come works 150 ms away, for twenty changes at a time", async () => {
  const store = postgresStore({ pool });
  await Promise.all(Array.from({ length: 10 }, () => pool.query("SELECT 1")));
  await waitFor(async () => {
    const changes = Array.from({ length: 20 }, (_, at) => store.put(newKey(`org-${at}`)));
    for (const change of await Promise.all(changes)) expect(change?.seq).toBeGreaterThan(0);
  });
  expect(await store.snapshots(["org-0", "org-7"])).toMatchObject([{ keys: [{}] }, { keys: [{}] }]);
});
