import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, describe, expect, inject, it } from "vitest";
import { onConnection, type PostgresPool, type PostgresQuery } from "../../../src/store/postgres/postgres-client.ts";
import { composeMigration } from "../../../src/store/postgres/postgres-schema.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { schemaSteps } from "../../../src/store/postgres/schema-steps.ts";
import { waitFor } from "../../support/wait-for.ts";

const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 2 });
const pools: pg.Pool[] = [];
const databases: string[] = [];

const newDatabase = async (template?: string): Promise<string> => {
  const name = `byokit_${randomUUID().replaceAll("-", "")}`;
  await admin.query(`CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${template}`}`);
  databases.push(name);
  return name;
};
const urlOf = (database: string): string => {
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${database}`;
  return url.href;
};
const poolOn = (database: string, options: pg.PoolConfig = {}): pg.Pool => {
  const pool = new pg.Pool({ connectionString: urlOf(database), max: 5, ...options });
  pool.on("error", () => {});
  pools.push(pool);
  return pool;
};
const endAll = async (): Promise<void> => void (await Promise.all(pools.splice(0).map((pool) => pool.end())));
const key = (orgId: string, sealed: string = randomUUID()) => ({
  orgId,
  provider: "openai",
  secretId: randomUUID(),
  region: null,
  account: null,
  kid: "kek-1",
  sealed,
  hint: null,
  actor: null,
  verdict: "skipped" as const,
  place: null,
  name: "default",
});
const migrated = async (timeoutMs = 5_000) => {
  const database = await newDatabase();
  const pool = poolOn(database);
  const store = postgresStore({ pool, timeoutMs });
  await store.migrate();
  return { database, pool, store };
};

afterAll(async () => {
  await endAll();
  for (const name of databases) await admin.query(`DROP DATABASE ${name}`);
  await admin.end();
});

describe("a store in Postgres", () => {
  it("leaves no row behind of fifty racing replaces", async () => {
    const { pool, store } = await migrated(10_000);
    await Promise.all(Array.from({ length: 50 }, () => store.put(key("org"))));
    const { rows } = await pool.query(
      "SELECT (SELECT count(*) FROM byok_secret)::int s, (SELECT count(*) FROM byok_log)::int l",
    );
    expect(rows).toEqual([{ s: 1, l: 51 }]);
  });

  it("has the server end a transaction of its own that was paused, so that nobody waits for it", async () => {
    const { database, store } = await migrated();
    const pool = poolOn(database, { options: "-c default_transaction_isolation=serializable" });
    const locked = Promise.withResolvers<void>();
    const clients: pg.PoolClient[] = [];
    /** A process that is stopped while it holds the clock row: its COMMIT is never sent. */
    const pausing: PostgresPool = {
      async connect() {
        const client = await pool.connect();
        client.on("error", () => {});
        clients.push(client);
        return {
          query: async (query: PostgresQuery) => {
            if (query.text !== "COMMIT") return await client.query(query as pg.QueryConfig);
            locked.resolve();
            return await new Promise<never>(() => {});
          },
          release: () => {},
          on: () => {},
          removeListener: () => {},
        };
      },
    };
    const paused = postgresStore({ pool: pausing, timeoutMs: 500 })
      .put(key("org"))
      .catch((error: unknown) => error);
    await locked.promise;
    await waitFor(async () => expect(await store.put(key("org"))).toMatchObject({ seq: 1 }));
    expect(await paused).toMatchObject({ code: "store_unavailable" });
    for (const client of clients) client.release(true);
  });

  it.each([
    "repeatable read",
    "serializable",
  ])("keeps its promises where connections are %s by default", async (level) => {
    const { database } = await migrated();
    const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
    const store = postgresStore({ pool: poolOn(database, { max: 10, options }), timeoutMs: 10_000 });
    const changes = await Promise.all(Array.from({ length: 50 }, () => store.put(key("org"))));
    expect(changes.map((change) => change?.seq).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    await Promise.all(Array.from({ length: 8 }, () => store.migrate()));
  });

  it("takes no lock that others need to remove what is not there", async () => {
    const { database, store } = await migrated();
    const stopped = await poolOn(database).connect();
    await stopped.query("BEGIN; SELECT seq FROM byok_clock FOR UPDATE");
    expect(await store.remove({ orgId: "org", provider: "openai", name: "default" }, { actor: null })).toMatchObject({
      seq: 0,
      secretId: null,
    });
    await stopped.query("ROLLBACK");
    stopped.release();
  });

  it("reads its own text, whatever parsers the platform sets for the driver", async () => {
    const { store } = await migrated();
    const types = [16, 20, 23, 25, 114, 701, 1043, 1114, 1184, 2950, 3802];
    const before = types.map((oid) => [oid, pg.types.getTypeParser(oid)] as const);
    for (const oid of types) pg.types.setTypeParser(oid, () => "spoilt" as never);
    try {
      const stored = { ...key("org"), verdict: "passed" as const };
      expect(await store.put(stored)).toEqual({ seq: 1, secretId: null, references: { openai: stored.secretId } });
      const [record] = await store.describe("org");
      expect(record).toMatchObject({ secretId: stored.secretId, verdict: "passed" });
      expect(Number.isSafeInteger(record?.createdAtMs) && Number.isSafeInteger(record?.checkedAtMs)).toBe(true);
      expect(await store.audit("org", { before: null, limit: 5 })).toMatchObject([{ seq: 1, times: 1 }]);
      expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ secretId: stored.secretId }] }]);
      expect(await store.poll({ after: 0 })).toMatchObject({ head: 1, changes: [{ seq: 1, orgId: "org" }] });
      expect(await store.noteCheck({ ...stored, verdict: "invalid" })).toBe(true);
      await store.migrate();
    } finally {
      for (const [oid, parser] of before) pg.types.setTypeParser(oid, parser as never);
    }
  });

  it.each([
    ["the beginning", { after: 0 }, 1_001],
    ["the middle", { after: 10_000 }, 1_001],
    ["the head", { after: 20_000 }, 1],
    ["a window of some rows", { windowMs: 500 }, 501],
    ["a window that holds every row", { windowMs: 1e9 }, 1_001],
  ] as const)("reads no more rows of a long log than it returns: a page from %s", async (_name, cursor, most) => {
    const { database, pool, store } = await migrated();
    const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    await pool.query(`INSERT INTO byok_log (seq, org_id, change_id, at_ms)
      SELECT at, 'org-' || at % 500, at::text, ${now} + 60000 - (20000 - at) FROM generate_series(1, 20000) at`);
    await pool.query("UPDATE byok_clock SET seq = 20000");
    await pool.query("VACUUM ANALYZE byok_log");
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
    // The rows' times lie a minute ahead: a window is measured back from now.
    const asked = "windowMs" in cursor && cursor.windowMs < 1e9 ? { windowMs: cursor.windowMs - 60_000 } : cursor;
    await postgresStore({ pool: spying, timeoutMs: 20_000 }).poll(asked);
    const { text, values = [] } = sent.at(-1) as PostgresQuery;
    const { rows } = await poolOn(database).query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values as unknown[]);
    const scanned = (node: Record<string, unknown>): number => {
      const own = String(node["Node Type"]).includes("Scan") && String(node["Relation Name"]) === "byok_log";
      const plans = (node["Plans"] ?? []) as Record<string, unknown>[];
      const read = own ? Number(node["Actual Rows"]) * Number(node["Actual Loops"]) : 0;
      return read + Number(node["Rows Removed by Filter"] ?? 0) + plans.reduce((sum, plan) => sum + scanned(plan), 0);
    };
    expect(scanned(rows[0]["QUERY PLAN"][0].Plan)).toBeLessThanOrEqual(most + 20);
    expect((await store.poll(asked)).head).toBe(20_000);
  });

  it.each(["0A000", "55000"])("goes on without the timeline where the server raises %s for it", async (code) => {
    const { database, pool, store } = await migrated();
    await store.put(key("org"));
    await pool.query(`CREATE SCHEMA fake; CREATE FUNCTION fake.pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'not here' USING ERRCODE = '${code}'; END $$`);
    const other = postgresStore({ pool: poolOn(database, { options: "-c search_path=fake,pg_catalog,public" }) });
    const [snapshot] = await other.snapshots(["org"]);
    expect(snapshot).toMatchObject({ asOf: 1, incarnation: expect.stringMatching(/^[\w-]{36}$/u) });
    expect(await other.poll({ windowMs: 0 })).toMatchObject({ head: 1 });
  });

  it("takes no step twice, no matter who runs the SQL of a migration", async () => {
    const { pool, store } = await migrated();
    await store.put(key("org"));
    await pool.query(composeMigration("public"));
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ provider: "openai" }] }]);
  });

  it("lives in a schema of its own where the option names one, and not in another that comes first", async () => {
    const { database, pool } = await migrated();
    await pool.query('CREATE SCHEMA "Keys of Ours"');
    const store = postgresStore({ pool: poolOn(database), schema: "Keys of Ours" });
    await expect(store.snapshots(["org"])).rejects.toMatchObject({ message: expect.stringContaining("migrate()") });
    await store.migrate();
    expect(await store.put(key("org"))).toMatchObject({ seq: 1 });
    expect(await postgresStore({ pool }).snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
  });

  it("waits for a lock no longer than its limit, on the server too", async () => {
    const { database, pool } = await migrated();
    const stopped = await pool.connect();
    await stopped.query("BEGIN; UPDATE byok_clock SET seq = seq + 1");
    const store = postgresStore({ pool, timeoutMs: 1_500 });
    await expect(store.put(key("org"))).rejects.toMatchObject({ code: "store_unavailable" });
    const waiting = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    await waitFor(async () => expect((await admin.query(waiting, [database])).rows).toEqual([]));
    await stopped.query("ROLLBACK");
    stopped.release();
  });

  it("takes the places of two batches in opposite orders that meet in the middle, one batch behind the other", async () => {
    const { database, store } = await migrated(10_000);
    const refs = ["a", "b", "c", "d", "e"].map((orgId) => ({ orgId, provider: "openai", name: "default" }));
    await store.takePlaces(refs, randomUUID());
    const holder = await poolOn(database).connect();
    await holder.query("BEGIN; SELECT FROM byok_place WHERE org_id = 'c' FOR UPDATE");
    const both = [refs, refs.toReversed()].map((one) => store.takePlaces(one, randomUUID()));
    const ended = Promise.all(both);
    const waiting = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    await waitFor(async () => expect((await admin.query(waiting, [database])).rows).toHaveLength(2));
    await holder.query("COMMIT");
    holder.release();
    expect(await ended).toEqual([refs, refs].map((one) => one.map(() => null)));
  });

  it("never has more backends than its pool has places, however many reads time out, and comes back", async () => {
    const { database, store: own } = await migrated();
    await own.put(key("org"));
    const name = `reader_${randomUUID().slice(0, 8)}`;
    const pool = poolOn(database, { max: 3, application_name: name });
    const store = postgresStore({ pool, timeoutMs: 300 });
    const locker = await poolOn(database).connect();
    await locker.query("BEGIN; LOCK TABLE byok_clock IN ACCESS EXCLUSIVE MODE");
    const backends = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1";
    const counts: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const reads = Array.from({ length: 6 }, () => store.snapshots(["org"]).catch((error: unknown) => error));
      for (const error of await Promise.all(reads)) expect(error).toMatchObject({ code: "store_unavailable" });
      counts.push(((await admin.query(backends, [name])).rows[0] as { count: number }).count);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
    await locker.query("ROLLBACK");
    locker.release();
    await waitFor(async () => expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1 }]));
    expect(pool.totalCount).toBeLessThanOrEqual(3);
  });

  it("answers within its limit when the pool has no connection to give", async () => {
    const { database } = await migrated();
    const pool = poolOn(database, { max: 1 });
    const taken = await pool.connect();
    const store = postgresStore({ pool, timeoutMs: 200 });
    await expect(store.snapshots(["org"])).rejects.toMatchObject({ code: "store_unavailable" });
    taken.release();
    expect(await store.snapshots(["org"])).toHaveLength(1);
  });

  it("is unavailable with a pool that throws where it should reject", async () => {
    const pool = new pg.Pool({ connectionString: "postgres://u:planted-password@127.0.0.1:notaport/db" });
    const error = await postgresStore({ pool })
      .snapshots(["org"])
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect(String(error)).not.toContain("planted");
  });

  it("goes on describing keys when a newer release adds a column", async () => {
    const { pool, store } = await migrated();
    await store.put(key("org"));
    await store.describe("org");
    await store.audit("org", { before: null, limit: 1 });
    await pool.query("ALTER TABLE byok_secret ADD COLUMN more text; ALTER TABLE byok_audit ADD COLUMN more text");
    expect(await store.describe("org")).toHaveLength(1);
    expect(await store.audit("org", { before: null, limit: 1 })).toHaveLength(1);
  });

  it("survives its connections being killed", async () => {
    const { database, store } = await migrated();
    await store.put(key("org"));
    await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [database]);
    await store.snapshots(["org"]).catch(() => {});
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1 }]);
  });

  it("survives the death of a connection that is in use, and nothing of the change remains", async () => {
    const { database, pool, store } = await migrated();
    const blocking = await pool.connect();
    await blocking.query("BEGIN; UPDATE byok_clock SET seq = seq + 1");
    const failed = expect(store.put(key("org"))).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    const waiting = "FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    const kill = `SELECT pg_terminate_backend(pid) ${waiting}`;
    await waitFor(async () => expect((await admin.query(kill, [database])).rowCount).toBe(1));
    await failed;
    await blocking.query("ROLLBACK");
    blocking.release();
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
  });

  it("survives the death of a connection that is checked out and idle, which has nobody to reject", async () => {
    const { pool, store } = await migrated();
    const plain = await pool.connect();
    const listeners = plain.listenerCount("error");
    plain.release();
    let own = 0;
    const lost = onConnection(pool, 10_000, async (client) => {
      own = (client as pg.PoolClient).listenerCount("error") - listeners;
      const { rows } = await client.query({ text: "SELECT pg_backend_pid() AS pid" });
      await admin.query("SELECT pg_terminate_backend($1)", [(rows[0] as { pid: number }).pid]);
      await waitFor(() => expect(client.query({ text: "SELECT 1" })).rejects.toThrow(/not queryable/u));
      return await client.query({ text: "SELECT 1" });
    });
    await expect(lost).rejects.toMatchObject({ code: "store_unavailable" });
    expect(own, "listeners of the store's own").toBe(1);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0 }]);
  });

  it("does not use a connection again on which a transaction failed", async () => {
    const { database, pool } = await migrated();
    await pool.query("ALTER TABLE byok_secret ADD CHECK (sealed <> 'planted-sealed')");
    const options = "-c default_transaction_isolation=serializable";
    const store = postgresStore({ pool: poolOn(database, { max: 1, options }), timeoutMs: 5_000 });
    await expect(store.put(key("org", "planted-sealed"))).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await store.put(key("org"))).toMatchObject({ seq: 1 });
  });

  it("prunes its log by age from the beginning, a few rows with every change, and never the newest", async () => {
    const { pool } = await migrated();
    const store = postgresStore({ pool, timeoutMs: 5_000, logKeepMs: 1 });
    for (let change = 0; change < 30; change += 1) await store.put(key("org", randomUUID()));
    await waitFor(async () => {
      await store.put(key("org", randomUUID()));
      expect((await store.poll({ after: 25 })).afterChangeId).toBeNull();
    });
    const { head, headChangeId, changes } = await store.poll({ windowMs: 3_600_000 });
    expect(changes.map(({ seq }) => seq)).toEqual(Array.from(changes, (_, index) => head - changes.length + 1 + index));
    expect(await store.poll({ after: head })).toMatchObject({ afterChangeId: headChangeId, changes: [] });
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: head }]);
  });

  it("has an audit trail that is append-only, for anyone who may write to the database too", async () => {
    const { pool, store } = await migrated();
    await store.put(key("org"));
    for (const edit of ["UPDATE byok_audit SET actor = 'eve'", "DELETE FROM byok_audit", "TRUNCATE byok_audit"]) {
      await expect(pool.query(edit)).rejects.toThrow(/append-only/u);
    }
    expect(await store.audit("org", { before: null, limit: 10 })).toMatchObject([{ actor: null, action: "added" }]);
  });

  it("of an older release is upgraded with its keys, which have no account then, while that release goes on", async () => {
    const database = await newDatabase();
    const pool = poolOn(database);
    await pool.query(`CREATE TABLE byok_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL)`);
    await pool.query(`INSERT INTO byok_schema VALUES (1, 1); ${schemaSteps[0]?.("public")}`);
    const place = (): string => `'${randomUUID()}'::uuid`;
    const putAsBefore = async (secretId: string) =>
      await pool.query(`SELECT * FROM byok_put_1('org', 'openai', 'default', NULL, ${place()}, '${secretId}', NULL, 'kek-1',
        'sealed', NULL, NULL, 'skipped', 1000, 1000)`);
    await putAsBefore("s1");
    const store = postgresStore({ pool: poolOn(database), timeoutMs: 5_000 });
    await expect(store.put(key("org"))).rejects.toMatchObject({ message: expect.stringContaining("migrate()") });
    await store.migrate();
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ secretId: "s1", account: null }] }]);
    const account = { organization: "org-1", project: null };
    expect(await store.put({ ...key("org"), account })).toMatchObject({ seq: 2, secretId: "s1" });
    expect(await store.describe("org")).toMatchObject([{ account }]);
    await putAsBefore("s3");
    expect(await store.describe("org")).toMatchObject([{ secretId: "s3", account: null }]);
  });

  it("of a release that notes no uses serves all the same, and says that uses need migrate()", async () => {
    const database = await newDatabase();
    const pool = poolOn(database);
    await pool.query(`CREATE TABLE byok_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL)`);
    const steps = schemaSteps.slice(0, 2).map((step) => step("public"));
    await pool.query(`INSERT INTO byok_schema VALUES (1, 2); ${steps.join("")}`);
    const store = postgresStore({ pool: poolOn(database), timeoutMs: 5_000 });
    const stored = key("org");
    const use = { ...stored, verdict: "invalid" } as const;
    expect(await store.put(stored)).toMatchObject({ seq: 1 });
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ secretId: stored.secretId }] }]);
    const refused = { code: "store_unavailable", message: expect.stringContaining("migrate()") };
    await expect(store.noteUse?.(use)).rejects.toMatchObject(refused);
    expect((await store.poll({ after: 0 })).head).toBe(1);
    await store.migrate();
    expect(await store.noteUse?.(use)).toBe(true);
    expect(await store.describe("org")).toMatchObject([{ verdict: "invalid" }]);
    expect(await store.noteCheck({ ...stored, verdict: "passed" })).toBe(true);
  });

  it("writes nothing for what a call found out before, and waits for no lock of the key", async () => {
    const { database, pool, store } = await migrated();
    const stored = key("org");
    await store.put(stored);
    const use = { ...stored, verdict: "invalid" } as const;
    await store.noteUse?.(use);
    const readRows = async () =>
      (
        await pool.query(`SELECT (SELECT array_agg(ROW(ctid, xmin, xmax)::text) FROM byok_secret) AS keys,
          (SELECT max(id)::text FROM byok_audit) AS audits, pg_sequence_last_value('byok_audit_id_seq')::text AS ids`)
      ).rows;
    const before = await readRows();
    const holder = await poolOn(database).connect();
    try {
      await holder.query("BEGIN; SELECT 1 FROM byok_clock FOR UPDATE; LOCK TABLE byok_audit IN SHARE MODE");
      for (let at = 0; at < 3; at += 1) expect(await store.noteUse?.(use)).toBe(true);
      expect(await readRows()).toEqual(before);
      await holder.query("ROLLBACK; BEGIN; SELECT 1 FROM byok_secret FOR UPDATE");
      expect(await store.noteUse?.(use)).toBe(true);
      expect(await store.noteUse?.({ ...use, secretId: "another" })).toBe(false);
    } finally {
      holder.release(true);
    }
  });

  it("waits for a key that is being replaced no longer than its limit to note a use, and leaves the new one alone", async () => {
    const { database, pool, store } = await migrated();
    const stored = key("org");
    await store.put(stored);
    const holder = await poolOn(database).connect();
    try {
      await holder.query("BEGIN; UPDATE byok_secret SET secret_id = 'another'");
      const limited = poolOn(database, { options: "-c statement_timeout=5000" });
      const call = `SELECT byok_note_use_3('org', 'openai', 'default', '${stored.secretId}', 'invalid', 20)`;
      await expect(limited.query(call)).rejects.toMatchObject({ code: "55P03" });
      const noting = store.noteUse?.({ ...stored, verdict: "invalid" });
      const waiting = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
      await waitFor(async () => expect((await pool.query(waiting, [database])).rows).toHaveLength(1));
      await holder.query("COMMIT");
      expect(await noting).toBe(false);
    } finally {
      holder.release(true);
    }
    expect(await store.describe("org")).toMatchObject([{ secretId: "another", verdict: "skipped" }]);
  });

  it.each([
    "repeatable read",
    "serializable",
  ])("takes what many workers find out at once where connections are %s by default", async (level) => {
    const { database, store } = await migrated();
    const stored = key("org");
    await store.put(stored);
    const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
    const own = postgresStore({ pool: poolOn(database, { max: 10, options }), timeoutMs: 10_000 });
    const verdicts = ["invalid", "exhausted", "passed"] as const;
    const noted = await Promise.all(
      Array.from({ length: 60 }, (_, at) => own.noteUse?.({ ...stored, verdict: verdicts[at % 3] ?? "invalid" })),
    );
    expect(noted.every(Boolean)).toBe(true);
    const observed = (await own.audit("org", { before: null, limit: 99 })).map(({ verdict }) => verdict);
    expect(new Set(observed).size).toBe(observed.length);
  });

  it("says that a schema of an older release is to be migrated", async () => {
    const { pool, store } = await migrated();
    await pool.query("DROP FUNCTION byok_put_2");
    await expect(store.put(key("org"))).rejects.toMatchObject({ message: expect.stringContaining("migrate()") });
  });

  it("shows no text of the driver's in its errors", async () => {
    const { pool, store } = await migrated();
    await pool.query("ALTER TABLE byok_secret ADD CHECK (sealed <> 'planted-sealed')");
    const error = await store.put(key("org", "planted-sealed")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "store_unavailable", message: expect.stringContaining("23514") });
    expect(String(error)).not.toContain("planted");
    expect(error).not.toHaveProperty("cause");
    expect((await store.poll({ windowMs: 0 })).head).toBe(0);
  });

  it("says its incarnation with the server's timeline where the role may read it, and without where it may not", async () => {
    const { database, store } = await migrated();
    const [own] = await store.snapshots(["org"]);
    expect(own?.incarnation).toMatch(/^[\w-]{36}\.0{7}1$/u);
    const role = `reader_${randomUUID().slice(0, 8)}`;
    const pool = poolOn(database);
    await pool.query(`CREATE ROLE ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
      REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC`);
    const limited = poolOn(database, { options: `-c role=${role}` });
    const [other] = await postgresStore({ pool: limited }).snapshots(["org"]);
    expect(other?.incarnation).toBe(own?.incarnation.split(".")[0]);
    await limited.end();
    pools.splice(pools.indexOf(limited), 1);
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
});
