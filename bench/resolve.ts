import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyCache,
  type KeyStore,
  memoryStore,
  type Resolver,
} from "byokit";
import { postgresStore } from "byokit/postgres";
import { redisCache } from "byokit/redis";
import { sqliteStore } from "byokit/sqlite";
import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import pg from "pg";
import { postgresServer } from "../test/servers/postgres-server.ts";
import { failFastRedis, ownRedisServer } from "../test/servers/redis-server.ts";
import { type Compared, compare } from "./compare.ts";

const agent = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
} as const;
const keyring = createKeyring(generateKeyring());
const organisations = 1_000;
/** Made once: a call has its organisation's id at hand. */
const orgIds = Array.from({ length: organisations }, (_, at) => `org-${at}`);
/** Within which everything is kept in Redis, however busy the machine is. */
const patienceMs = 120_000;

/** A worker on a store with a thousand organisations that have all three keys. */
async function workerOn(store: KeyStore, maxOrgs: number, cache?: KeyCache) {
  await store.migrate();
  const manager = createKeyManager({ store, keyring, verify: "off", deadlineMs: patienceMs });
  const providers = ["openai", "deepgram", "elevenlabs"];
  await manager.setMany(
    orgIds.flatMap((orgId) =>
      providers.map((provider) => ({ orgId, provider, apiKey: `key-of-${provider}-${orgId}` })),
    ),
  );
  const resolver = createResolver({ store, keyring, maxOrgs, ...(cache === undefined ? {} : { cache }) });
  await resolver.ready();
  return resolver;
}

interface Row {
  readonly org_id: string;
  readonly provider: string;
  readonly secret_id: string;
  readonly region: string | null;
  readonly sealed: string;
}

async function openAll(rows: readonly Row[]): Promise<unknown> {
  return await Promise.all(
    rows.map(({ org_id: orgId, provider, secret_id: secretId, region, sealed }) =>
      keyring.open(sealed, { orgId, provider, secretId, region, account: null }),
    ),
  );
}

export async function fromRedis(): Promise<Compared> {
  const server = await ownRedisServer();
  const redis = failFastRedis(server.url);
  // With the same costs per command, and more patience.
  const bare = redis.duplicate({ enableOfflineQueue: true, commandTimeout: 10_000 });
  const resolver = await workerOn(memoryStore(), 1, redisCache({ redis, timeoutMs: 1_000 }));
  await allKept(resolver, bare);
  const [next, other] = [takingTurns(), takingTurns()];
  const compared = await compare({
    what: "three slots from Redis",
    bare: "`GET`, and opening",
    goal: { ratio: 1.3 },
    ours: () => resolver.resolve(next(), agent),
    theirs: async () => {
      const orgId = other();
      const entry = (await bare.getBuffer(`byok:keys:${orgId}`)) ?? Buffer.alloc(2);
      const headEnd = 2 + entry.readUInt16BE();
      const bound = Buffer.concat([Buffer.from(`${orgId}\0`), entry.subarray(2, headEnd)]);
      return JSON.parse(String(keyring.entryCipher?.open(entry.subarray(headEnd), bound)));
    },
  });
  await resolver.close();
  for (const client of [redis, bare]) client.disconnect();
  await server.stop();
  return compared;
}

/** Every organisation in Redis: a write that a busy machine was too slow for is not made again by itself. */
async function allKept(resolver: Resolver, redis: Redis): Promise<void> {
  const endsAtMs = performance.now() + patienceMs;
  let missing = orgIds;
  while (missing.length > 0) {
    if (performance.now() > endsAtMs) throw new Error(`Redis does not keep ${missing.length} of ${organisations}.`);
    for (const orgId of missing) await resolver.resolve(orgId, agent, { deadlineMs: patienceMs });
    await pause(50);
    const kept = await Promise.all(orgIds.map((orgId) => redis.exists(`byok:keys:${orgId}`)));
    missing = orgIds.filter((_, at) => kept[at] === 0);
  }
}

/** Never the same organisation twice within a thousand. */
function takingTurns(): () => string {
  let turn = 0;
  return () => {
    turn = turn === organisations - 1 ? 0 : turn + 1;
    return orgIds[turn] ?? "";
  };
}

/** Beside a bare get, and beside what no hit is without: the two clocks of its lease, and a promise of an object. */
export async function fromMemory(): Promise<Compared[]> {
  const resolver = await workerOn(memoryStore(), organisations);
  const cache = new LRUCache<string, object>({ max: organisations });
  for (const orgId of orgIds) {
    cache.set(orgId, {});
    await resolver.resolve(orgId, agent);
  }
  const [next, other] = [takingTurns(), takingTurns()];
  const ours = { what: "three slots from memory", ours: () => resolver.resolve(next(), agent) };
  const compared = [
    await compare({
      ...ours,
      bare: "`lru-cache` get",
      goal: { us: 0.4, ratio: 8 },
      theirs: () => cache.get(other()),
    }),
    await compare({
      ...ours,
      bare: "two clocks, and a promise",
      theirs: async () => ({ monotonicMs: performance.now(), wallMs: Date.now(), held: cache.get(other()) }),
    }),
  ];
  await resolver.close();
  return compared;
}

export async function fromSqlite(): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), "byokit-bench-"));
  const path = join(folder, "byok.sqlite");
  const store = sqliteStore({ path });
  const resolver = await workerOn(store, 1);
  const database = new DatabaseSync(path);
  const select = database.prepare("SELECT * FROM byok_secret WHERE org_id = ?");
  const rows = (orgId: string) => select.all(orgId) as unknown as Row[];
  const [next, other] = [takingTurns(), takingTurns()];
  const compared = await compare({
    what: "three slots from a cold SQLite file",
    bare: "`SELECT`, and opening three keys",
    goal: { us: 120 },
    ours: () => resolver.resolve(next(), agent),
    theirs: () => openAll(rows(other())),
  });
  await resolver.close();
  await store.close();
  database.close();
  rmSync(folder, { recursive: true });
  return compared;
}

export async function fromPostgres(): Promise<Compared> {
  const server = await postgresServer();
  const admin = new pg.Pool({ connectionString: server.url, max: 1 });
  await admin.query("CREATE DATABASE byokit_bench");
  const url = new URL(server.url);
  url.pathname = "/byokit_bench";
  const pool = new pg.Pool({ connectionString: url.href, max: 4 });
  const resolver = await workerOn(postgresStore({ pool }), 1);
  // As the server does by itself within a minute.
  await pool.query("VACUUM ANALYZE");
  const [next, other] = [takingTurns(), takingTurns()];
  const text = "SELECT * FROM byok_secret WHERE org_id = $1";
  const compared = await compare({
    what: "three slots from a cold Postgres",
    bare: "`SELECT`, and opening three keys",
    goal: { us: 350, ratio: 1.2 },
    ours: () => resolver.resolve(next(), agent),
    theirs: async () => await openAll((await pool.query({ name: "bare", text, values: [other()] })).rows as Row[]),
  });
  await resolver.close();
  await pool.end();
  await admin.query("DROP DATABASE byokit_bench");
  await admin.end();
  await server.stop();
  return compared;
}
