import { randomUUID } from "node:crypto";
import { type AddressInfo, connect, createServer } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, inject, it } from "vitest";
import type { PostgresStoreEvent } from "../../../src/store/postgres/pool-gate.ts";
import {
  onConnection,
  type PostgresPool,
  type PostgresPoolClient,
} from "../../../src/store/postgres/postgres-client.ts";
import { type PostgresStoreOptions, postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { type Forwarder, forwarder } from "../../servers/forwarder.ts";
import { waitFor } from "../../support/wait-for.ts";

const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 2 });
const database = `pool_${randomUUID().slice(0, 8)}`;
const pools: pg.Pool[] = [];
const roles: string[] = [];
let network: Forwarder;

/** Nobody but the store listens to it. Through the network that a test can silence. */
const openPool = (config: pg.PoolConfig = {}, role?: string): pg.Pool => {
  const url = new URL(inject("postgresUrl"));
  if (role !== undefined) [url.username, url.password] = [role, "secret"];
  [url.pathname, url.hostname, url.port] = [database, "127.0.0.1", String(network.port)];
  const pool = new pg.Pool({
    connectionString: url.href,
    connectionTimeoutMillis: 5_000,
    application_name: randomUUID(),
    ...config,
  });
  pools.push(pool);
  return pool;
};
/** As a role of its own, whose connections can be limited. */
const openLimitedPool = async (connections: number) => {
  const role = `pool_${randomUUID().slice(0, 8)}`;
  await admin.query(
    `CREATE ROLE ${role} IN ROLE pg_read_all_data LOGIN PASSWORD 'secret' CONNECTION LIMIT ${connections}`,
  );
  roles.push(role);
  return {
    pool: openPool({}, role),
    setLimit: (limit: number) => admin.query(`ALTER ROLE ${role} CONNECTION LIMIT ${limit}`),
  };
};
const open = (pool: PostgresPool, options: Partial<PostgresStoreOptions> = {}) => {
  const events: PostgresStoreEvent[] = [];
  const store = postgresStore({ pool, timeoutMs: 5_000, onEvent: (event) => events.push(event), ...options });
  return { store, events, read: () => store.snapshots(["org"]) };
};
const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
const backendsOf = async ({ options }: pg.Pool): Promise<{ pid: number; state: string; query: string }[]> =>
  (
    await admin.query("SELECT pid, state, query FROM pg_stat_activity WHERE application_name = $1", [
      options.application_name,
    ])
  ).rows;
const endBackendsOf = async (pool: pg.Pool): Promise<void> => {
  for (const { pid } of await backendsOf(pool)) await admin.query("SELECT pg_terminate_backend($1)", [pid]);
};
/** A pool with a connection, so that what is timed is not its being opened. */
const openWarmPool = async (facts: object = {}): Promise<pg.Pool> => {
  const pool = openPool({ max: 1 });
  pool.on("connect", (client) => Object.assign(client, facts));
  await onConnection(pool, 20_000, (client) => client.query({ text: "SELECT 1" }));
  return pool;
};
const sleep = { text: "SELECT pg_sleep(600)" };
const tooSlow = { code: "store_unavailable", message: expect.stringContaining("did not answer within") };

beforeAll(async () => {
  network = await forwarder(Number(new URL(inject("postgresUrl")).port || 5_432));
  await admin.query(`CREATE DATABASE ${database}`);
  await postgresStore({ pool: openPool({ max: 1 }), timeoutMs: 10_000 }).migrate();
});
afterEach(() => network.pass());
afterAll(async () => {
  for (const pool of pools) pool.on("error", () => {});
  await network.close();
  await Promise.all(pools.map((pool) => pool.end()));
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  for (const role of roles) await admin.query(`DROP ROLE ${role}`);
  await admin.end();
});

it("the store hears its pool's errors, says so, and goes on", async () => {
  const pool = openPool();
  const { read, events } = open(pool);
  await read();
  await endBackendsOf(pool);
  const lost = { type: "connection_lost", atMs: expect.any(Number), code: "57P01" };
  await waitFor(() => expect(events).toEqual([lost]));
  expect(await read()).toHaveLength(1);
});

it("stores on one pool listen to it once, and no longer than until the last of them is closed", async () => {
  const pool = openPool();
  const stores = Array.from({ length: 30 }, () => open(pool).store);
  expect([pool.listenerCount("error"), pool.listenerCount("connect")]).toEqual([1, 1]);
  const [first, ...others] = stores;
  for (const store of others) await store.close();
  await first?.snapshots(["org"]);
  expect(pool.listenerCount("error")).toBe(1);
  await first?.close();
  expect([pool.listenerCount("error"), pool.listenerCount("connect")]).toEqual([0, 0]);
});

it.each([
  [
    "throws",
    () => {
      throw new Error("planted");
    },
  ],
  ["rejects", () => Promise.reject(new Error("planted"))],
])("a listener of the caller's that %s fails nobody", async (_how, onEvent) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): unknown => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const pool = openPool({ max: 1 });
  const { read } = open(pool, { onEvent });
  await read();
  await endBackendsOf(pool);
  await waitFor(() => expect(pool.totalCount).toBe(0));
  expect(await read()).toHaveLength(1);
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

it("a connection that dies in the turn in which it has come has a listener", async () => {
  const real = openPool();
  const unheard: unknown[] = [];
  const pool: PostgresPool = {
    connect: (take) =>
      real.connect((error, client) => {
        take(error, client as PostgresPoolClient | undefined);
        try {
          client?.emit("error", new Error("terminating connection due to administrator command"));
        } catch (thrown) {
          unheard.push(thrown);
        }
      }),
  };
  await open(pool).read();
  expect(unheard).toEqual([]);
});

it("a pool that calls back and returns a promise as well hands one connection out once", async () => {
  const real = openPool({ max: 1 });
  const pool: PostgresPool = {
    connect: (take) =>
      new Promise((resolve) => {
        real.connect((error, client) => {
          take(error, client as PostgresPoolClient | undefined);
          resolve(client);
        });
      }),
  };
  const { read } = open(pool);
  for (let at = 0; at < 3; at += 1) expect(await read()).toHaveLength(1);
  const client = await real.connect();
  const listeners = client.listenerCount("error");
  client.release();
  await read();
  const again = await real.connect();
  expect(again.listenerCount("error")).toBe(listeners);
  again.release();
});

it("a server that takes no more connections is asked for few, and for as many as before once it does", async () => {
  const { pool, setLimit } = await openLimitedPool(0);
  const { read, events } = open(pool);
  const before = network.taken;
  for (let round = 0; round < 100; round += 1) {
    for (const outcome of await Promise.all(Array.from({ length: 10 }, () => outcomeOf(read()))))
      expect(outcome).toMatch(/^store_unavailable: .*53300/u);
  }
  expect(network.taken - before).toBeLessThan(50);
  expect(events).toEqual([{ type: "connecting_failed", atMs: expect.any(Number), code: "53300" }]);
  await setLimit(-1);
  await waitFor(async () => expect(await read()).toHaveLength(1));
  expect(await Promise.all(Array.from({ length: 50 }, () => outcomeOf(read())))).toEqual(Array(50).fill("ok"));
  expect(events.at(-1)).toMatchObject({ type: "connecting_recovered" });
});

it("a pool of another kind, which tells nothing of its connections, is tried and taken up again as well", async () => {
  let isDown = true;
  let asked = 0;
  const real = openPool();
  const pool: PostgresPool = {
    async connect() {
      asked += 1;
      if (isDown) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return await real.connect();
    },
    on: () => {},
  };
  const { read, events } = open(pool);
  for (let at = 0; at < 200; at += 1) expect(await outcomeOf(read())).toContain("ECONNREFUSED");
  expect(asked).toBeLessThan(50);
  isDown = false;
  await waitFor(async () => expect(await read()).toHaveLength(1));
  for (let at = 0; at < 20; at += 1) expect(await outcomeOf(read())).toBe("ok");
  expect(events.map(({ type }) => type)).toEqual(["connecting_failed", "connecting_recovered"]);
});

it("connections that are open serve on while no other can be opened", async () => {
  const { pool } = await openLimitedPool(1);
  const { read, events } = open(pool);
  expect(await read()).toHaveLength(1);
  while (events.length === 0) await Promise.all(Array.from({ length: 20 }, () => outcomeOf(read())));
  expect(events).toMatchObject([{ type: "connecting_failed", code: "53300" }]);
  for (let at = 0; at < 50; at += 1) expect(await outcomeOf(read())).toBe("ok");
});

it("a connection that was open already says nothing of others: attempts stay few while it serves", async () => {
  const real = openPool({ max: 1 });
  let asked = 0;
  const pool: PostgresPool = {
    connect(take) {
      asked += 1;
      if (asked % 3 === 0) real.connect(take as Parameters<typeof real.connect>[0]);
      else take(Object.assign(new Error("too many clients"), { code: "53300" }));
    },
    on: () => {},
    totalCount: 1,
    options: { max: 5 },
  };
  const { read, events } = open(pool);
  for (let at = 0; at < 300; at += 1) await outcomeOf(read());
  expect(asked).toBeLessThan(100);
  expect(events).toMatchObject([{ type: "connecting_failed", code: "53300" }]);
});

it("calls that wait for a place, and statements that fail, keep nobody from connecting", async () => {
  const busy = openPool({ max: 1, connectionTimeoutMillis: 1_000 });
  const waiting = open(busy);
  const taken = await busy.connect();
  for (const outcome of await Promise.all(Array.from({ length: 30 }, () => outcomeOf(waiting.read()))))
    expect(outcome).toContain("had no connection free in time");
  taken.release();
  expect(await outcomeOf(waiting.read())).toBe("ok");
  const failing = open(openPool());
  for (let at = 0; at < 20; at += 1) {
    const wrong = { before: "no number" as never, limit: 1 };
    expect(await outcomeOf(failing.store.audit("org", wrong))).toContain("22P02");
  }
  expect(await outcomeOf(failing.read())).toBe("ok");
  expect([...waiting.events, ...failing.events]).toEqual([]);
});

it("calls do not gather in an exhausted pool: those beyond its bound fail at once", async () => {
  const pool = openPool({ max: 1, connectionTimeoutMillis: 0 });
  const taken = await pool.connect();
  const { read } = open(pool, { timeoutMs: 1_000 });
  const outcomes = Array.from({ length: 1_000 }, () => outcomeOf(read()));
  expect(pool.waitingCount).toBe(200);
  const crowded = (await Promise.all(outcomes)).filter((outcome) => outcome.includes("wait for a connection"));
  expect(crowded).toHaveLength(800);
  expect(await outcomeOf(read())).toContain("wait for a connection");
  taken.release();
  await waitFor(async () => expect(await read()).toHaveLength(1));
  expect(pool.waitingCount).toBe(0);
});

it("a connection that fell silent is dropped, its cancel unheard, and the pool comes back", async () => {
  const pool = openPool({ max: 1 });
  const { read } = open(pool, { timeoutMs: 300 });
  await waitFor(async () => expect(await read()).toHaveLength(1));
  network.fallSilent();
  await expect(read()).rejects.toMatchObject(tooSlow);
  network.pass();
  await waitFor(async () => expect(await read()).toHaveLength(1));
});

it("a pool whose every connection is being opened into silence comes back", async () => {
  const pool = openPool({ max: 10, connectionTimeoutMillis: 500 });
  const { read, events } = open(pool, { timeoutMs: 300 });
  network.fallSilent();
  await waitFor(async () => {
    await Promise.all(Array.from({ length: 20 }, () => outcomeOf(read())));
    expect(events).toMatchObject([{ type: "connecting_failed" }]);
  });
  network.pass();
  await waitFor(async () => expect(await read()).toHaveLength(1));
});

it("a connection that the network has forgotten costs a call only where the pool keeps idle ones for ever", async () => {
  const keeping = openPool({ max: 1, idleTimeoutMillis: 0 });
  const closing = openPool({ max: 1, idleTimeoutMillis: 50 });
  const [kept, closed] = [open(keeping, { timeoutMs: 1_000 }), open(closing, { timeoutMs: 20_000 })];
  for (const { read } of [kept, closed]) await waitFor(async () => expect(await read()).toHaveLength(1));
  await waitFor(() => expect(closing.totalCount).toBe(0));
  network.fallSilent();
  network.pass();
  expect(await outcomeOf(closed.read())).toBe("ok");
  await expect(kept.read()).rejects.toMatchObject(tooSlow);
});

it("a pool that cannot come back after a silent network is named in warnings, and what it lacks", () => {
  const warningsOf = (pool: PostgresPool) => open(pool).store.warnings?.();
  const [connectionTimeout, idleTimeout] = ["connectionTimeoutMillis", "idleTimeoutMillis"].map((option) =>
    expect.stringContaining(`Set ${option}`),
  );
  expect(warningsOf(openPool())).toEqual([]);
  expect(warningsOf(new pg.Pool())).toEqual([connectionTimeout]);
  expect(warningsOf(openPool({ connectionTimeoutMillis: 0, idleTimeoutMillis: 0 }))).toEqual([
    connectionTimeout,
    idleTimeout,
  ]);
  expect(warningsOf(openPool({ idleTimeoutMillis: 0, maxLifetimeSeconds: 60 }))).toEqual([]);
  expect(warningsOf({ connect: () => {} })).toEqual([]);
});

it("what took too long is ended on the server, and its connection serves on", async () => {
  const pool = await openWarmPool();
  await expect(onConnection(pool, 300, (client) => client.query(sleep))).rejects.toMatchObject(tooSlow);
  const [asleep] = await backendsOf(pool);
  const own = { text: "SELECT pg_backend_pid() AS pid" };
  expect((await onConnection(pool, 10_000, (client) => client.query(own))).rows).toEqual([{ pid: asleep?.pid }]);
});

it("a transaction that took too long is rolled back before its connection serves on", async () => {
  const pool = await openWarmPool();
  const slow = onConnection(pool, 300, async (client) => {
    await client.query({ text: "BEGIN; UPDATE byok_clock SET seq = seq + 1" });
    return await client.query(sleep);
  });
  await expect(slow).rejects.toMatchObject(tooSlow);
  const text = "SELECT seq::int, pg_current_xact_id_if_assigned() IS NULL AS is_read_only FROM byok_clock";
  const { rows } = await onConnection(pool, 10_000, (client) => client.query({ text }));
  expect(rows).toEqual([{ seq: 0, is_read_only: true }]);
});

it.each([
  ["a key that is not the backend's", { secretKey: 0 }],
  ["a port that is none", { port: "none" }],
])("a connection that no cancel reaches, for %s, is dropped, so that the pool comes back", async (_why, facts) => {
  const pool = await openWarmPool(facts);
  await expect(onConnection(pool, 300, (client) => client.query(sleep))).rejects.toMatchObject(tooSlow);
  const [asleep] = await backendsOf(pool);
  await waitFor(async () => expect(await outcomeOf(open(pool).read())).toBe("ok"));
  await admin.query("SELECT pg_terminate_backend($1)", [asleep?.pid]);
});

it("a cancel that is late meets no statement of another call", async () => {
  const arrived = Promise.withResolvers<() => void>();
  const late = createServer((socket) => {
    socket.once("data", (request) => {
      arrived.resolve(() => {
        const { hostname, port } = new URL(inject("postgresUrl"));
        const onwards = connect(Number(port), hostname, () => onwards.write(request));
        onwards.resume().once("close", () => socket.destroy());
      });
    });
  });
  await new Promise<void>((resolve) => late.listen(0, "127.0.0.1", resolve));
  const pool = await openWarmPool({ port: (late.address() as AddressInfo).port });
  const slow = onConnection(pool, 100, (client) => client.query({ text: "SELECT pg_sleep(1)" }));
  await expect(slow).rejects.toMatchObject(tooSlow);
  const next = outcomeOf(onConnection(pool, 20_000, (client) => client.query({ text: "SELECT pg_sleep(0.9)" })));
  const deliver = await arrived.promise;
  let seen = 0;
  await waitFor(async () => {
    const [backend] = await backendsOf(pool);
    seen = backend?.state === "idle" ? seen + 1 : 0;
    expect(seen >= 5 || backend?.query.includes("pg_sleep(0.9)")).toBe(true);
  });
  deliver();
  expect(await next).toBe("ok");
  late.close();
});
