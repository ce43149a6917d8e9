/**
 * A worker in the database's region, and one so far away that a round trip takes 80 ms, with a Redis in its own region:
 * `npm run bench:regions`. The way to the far database is a forwarder that holds everything up for half a round trip; the
 * manager is beside the database, and tells both Redis servers of its changes.
 */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyCache,
  type KeyManager,
  type Keyring,
} from "../src/index.ts";
import { redisCache } from "../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../src/store/postgres/postgres-store.ts";
import { forwarder } from "../test/servers/forwarder.ts";
import { ownPostgresServer } from "../test/servers/postgres-server.ts";
import { failFastRedis, ownRedisServer } from "../test/servers/redis-server.ts";
import { rounded } from "./compare.ts";
import { recordFigures } from "./record.ts";
import { median } from "./take-turns.ts";

export interface RegionRow {
  readonly worker: string;
  /** Of every round trip to the database. */
  readonly roundTripMs: number;
  /** How a call's slot is found: milliseconds, as medians. */
  readonly coldMs: number;
  readonly redisMs: number;
  readonly memoryMs: number;
  /** From the answer of a removal to the last time that the key was handed out. */
  readonly revokedP50Ms: number;
  readonly revokedP99Ms: number;
}

export interface RegionsOptions {
  readonly roundTripMs?: number;
  /** Of each way that a slot is found, and removals. */
  readonly times?: number;
  readonly betweenRemovalsMs?: number;
}

interface Region {
  readonly worker: string;
  readonly roundTripMs: number;
  readonly redisUrl: string;
}

const agent = { llm_config: { provider: "openai" } } as const;

/** One row for each of the two workers. */
export async function regions({
  roundTripMs = 80,
  times = 100,
  betweenRemovalsMs = 400,
}: RegionsOptions = {}): Promise<RegionRow[]> {
  const [postgres, near, far] = [await ownPostgresServer(), await ownRedisServer(), await ownRedisServer()];
  const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
  const store = postgresStore({ pool });
  const keyring = createKeyring(generateKeyring());
  const clients = [near, far].map(({ url }) => failFastRedis(url));
  const caches = clients.map((redis) => redisCache({ redis, timeoutMs: 1_000 }));
  try {
    await store.migrate();
    const cache = toldOfAll(caches as [KeyCache, KeyCache]);
    const manager = createKeyManager({ store, keyring, verify: "off", cache, deadlineMs: 20_000 });
    const orgIds = Array.from({ length: times }, (_, at) => `org-${at}`);
    const rows: RegionRow[] = [];
    for (const region of [
      { worker: "beside the database", roundTripMs: 0, redisUrl: near.url },
      { worker: `${roundTripMs} ms from the database`, roundTripMs, redisUrl: far.url },
    ]) {
      await manager.setMany(orgIds.map((orgId) => ({ orgId, provider: "openai", apiKey: `key-of-${orgId}` })));
      rows.push(await measure(region, { databaseUrl: postgres.url, keyring, manager, orgIds, betweenRemovalsMs }));
    }
    return rows;
  } finally {
    for (const redis of clients) redis.disconnect();
    await pool.end();
    await Promise.all([postgres, near, far].map((server) => server.stop()));
  }
}

interface Deployment {
  readonly databaseUrl: string;
  readonly keyring: Keyring;
  readonly manager: KeyManager;
  readonly orgIds: readonly string[];
  readonly betweenRemovalsMs: number;
}

async function measure(region: Region, deployment: Deployment): Promise<RegionRow> {
  const { worker, roundTripMs } = region;
  const { orgIds } = deployment;
  const filling = await startWorker(region, deployment.databaseUrl, deployment.keyring);
  const cold = await findAll(filling, orgIds);
  const memory = await findAll(filling, orgIds);
  // What was read from the database is written to Redis behind the call.
  await pause(500);
  await filling.close();
  const second = await startWorker(region, deployment.databaseUrl, deployment.keyring);
  const redis = await findAll(second, orgIds);
  const revoked = await revoke(second, deployment);
  await second.close();
  const at = (share: number): number => revoked[Math.floor((revoked.length - 1) * share)] ?? Number.NaN;
  const found = { coldMs: median(cold), redisMs: median(redis), memoryMs: median(memory) };
  return { worker, roundTripMs, ...found, revokedP50Ms: at(0.5), revokedP99Ms: at(0.99) };
}

/** A worker of the real code, in one region. */
interface Worker {
  find(orgId: string): Promise<string>;
  close(): Promise<void>;
}

async function startWorker({ roundTripMs, redisUrl }: Region, databaseUrl: string, keyring: Keyring): Promise<Worker> {
  const url = new URL(databaseUrl);
  const link = await forwarder(Number(url.port), roundTripMs / 2);
  url.port = String(link.port);
  const pool = new pg.Pool({ connectionString: url.href, max: 4 });
  pool.on("error", () => {});
  const redis = failFastRedis(redisUrl);
  await new Promise((resolve) => redis.once("ready", resolve));
  const store = postgresStore({ pool });
  const cache = redisCache({ redis, timeoutMs: 1_000 });
  const resolver = createResolver({
    store,
    keyring,
    cache,
    clients: false,
    platformKeys: { openai: "key-of-the-platform" },
  });
  await resolver.ready();
  // Opens every connection that a call may need, which costs further round trips.
  await Promise.all([1, 2, 3, 4].map((at) => resolver.resolve(`without-keys-${at}`, agent)));
  return {
    find: async (orgId) => (await resolver.resolve(orgId, agent)).llm.source,
    async close() {
      await resolver.close();
      redis.disconnect();
      await pool.end();
      await link.close();
    },
  };
}

/** Milliseconds of each, one after the other. */
async function findAll({ find }: Worker, orgIds: readonly string[]): Promise<number[]> {
  const tookMs: number[] = [];
  for (const orgId of orgIds) {
    const beganAtMs = performance.now();
    if ((await find(orgId)) !== "byok") throw new Error("The organisation's own key was not found.");
    tookMs.push(performance.now() - beganAtMs);
  }
  return tookMs;
}

/** Removes key after key, and asks for each until it is gone. Milliseconds in ascending order. */
async function revoke({ find }: Worker, { manager, orgIds, betweenRemovalsMs }: Deployment): Promise<number[]> {
  const lastMs: number[] = [];
  for (const orgId of orgIds) {
    await manager.remove(orgId, { provider: "openai" });
    const removedAtMs = performance.now();
    let lastAtMs = removedAtMs;
    for (;;) {
      if ((await find(orgId)) !== "byok") break;
      lastAtMs = performance.now();
      await pause(1);
    }
    lastMs.push(lastAtMs - removedAtMs);
    await pause(betweenRemovalsMs);
  }
  return lastMs.sort((a, b) => a - b);
}

/** A manager's cache: entries of its own region, and notices to both. */
function toldOfAll([own, other]: readonly [KeyCache, KeyCache]): KeyCache {
  return {
    ...own,
    invalidate: async (notice) => {
      await Promise.all([own.invalidate(notice), other.invalidate(notice)]);
    },
  };
}

if (import.meta.main) {
  await recordFigures(
    "regions",
    (await regions()).map(({ worker, coldMs, redisMs, memoryMs, revokedP50Ms, revokedP99Ms }) => ({
      "a worker": worker,
      "cold ms": rounded(coldMs),
      "from Redis ms": rounded(redisMs),
      "from memory ms": rounded(memoryMs),
      "removal p50 ms": rounded(revokedP50Ms),
      "removal p99 ms": rounded(revokedP99Ms),
    })),
  );
}
