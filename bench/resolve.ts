import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyCache,
  type KeyStore,
  memoryStore,
} from "byokit";
import { postgresStore } from "byokit/postgres";
import { redisCache } from "byokit/redis";
import { sqliteStore } from "byokit/sqlite";
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

/** A worker on a store with a thousand organisations that have all three keys. */
async function workerOn(store: KeyStore, maxOrgs: number, cache?: KeyCache) {
  await store.migrate();
  const manager = createKeyManager({ store, keyring, verify: "off" });
  for (let org = 0; org < organisations; org += 1) {
    for (const provider of ["openai", "deepgram", "elevenlabs"]) {
      await manager.set(`org-${org}`, { provider, apiKey: `key-of-${provider}-${org}` });
    }
  }
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
  const [redis, bare] = [failFastRedis(server.url), failFastRedis(server.url)];
  await Promise.all([redis, bare].map((client) => new Promise((resolve) => client.once("ready", resolve))));
  const store = memoryStore();
  const resolver = await workerOn(store, 1, redisCache({ redis, timeoutMs: 1_000 }));
  for (let org = 0; org < organisations; org += 1) await resolver.resolve(`org-${org}`, agent);
  while ((await bare.dbsize()) < organisations) await new Promise((resolve) => setTimeout(resolve, 10));
  const [next, other] = [takingTurns(), takingTurns()];
  const compared = await compare({
    what: "resolve three slots from Redis",
    bare: "GET in Redis, and opening",
    goal: { ratio: 1.3 },
    ours: async () => await resolver.resolve(next(), agent),
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

/** Never the same organisation twice within a hundred. */
function takingTurns(): () => string {
  let turn = 0;
  return () => `org-${turn++ % organisations}`;
}

export async function fromMemory(): Promise<Compared> {
  const resolver = await workerOn(memoryStore(), organisations);
  const cache = new LRUCache<string, object>({ max: organisations });
  for (let org = 0; org < organisations; org += 1) {
    cache.set(`org-${org}`, {});
    await resolver.resolve(`org-${org}`, agent);
  }
  const [next, other] = [takingTurns(), takingTurns()];
  const compared = await compare({
    what: "resolve three slots from memory",
    bare: "lru-cache get",
    ours: async () => await resolver.resolve(next(), agent),
    theirs: () => cache.get(other()),
  });
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
    what: "resolve three slots from a cold SQLite file",
    bare: "SELECT in SQLite, and opening",
    goal: { us: 120 },
    ours: async () => await resolver.resolve(next(), agent),
    theirs: async () => await openAll(rows(other())),
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
    what: "resolve three slots from a cold Postgres",
    bare: "SELECT in Postgres, and opening",
    goal: { us: 350, ratio: 1.2 },
    ours: async () => await resolver.resolve(next(), agent),
    theirs: async () => await openAll((await pool.query({ name: "bare", text, values: [other()] })).rows as Row[]),
  });
  await resolver.close();
  await pool.end();
  await admin.query("DROP DATABASE byokit_bench");
  await admin.end();
  await server.stop();
  return compared;
}
