import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createKeyManager, createKeyring, createResolver, generateKeyring, type KeyStore, memoryStore } from "byokit";
import { postgresStore } from "byokit/postgres";
import { sqliteStore } from "byokit/sqlite";
import { LRUCache } from "lru-cache";
import pg from "pg";
import { postgresServer } from "../test/servers/postgres-server.ts";
import { type Compared, compare } from "./compare.ts";

const agent = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
} as const;
const keyring = createKeyring(generateKeyring());
const organisations = 1_000;

/** A worker on a store with a thousand organisations that have all three keys. */
async function workerOn(store: KeyStore, maxOrgs: number) {
  await store.migrate();
  const manager = createKeyManager({ store, keyring });
  for (let org = 0; org < organisations; org += 1) {
    for (const provider of ["openai", "deepgram", "elevenlabs"]) {
      await manager.set(`org-${org}`, { provider, apiKey: `key-of-${provider}-${org}` });
    }
  }
  const resolver = createResolver({ store, keyring, maxOrgs });
  await resolver.ready();
  return resolver;
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
  const [next, other] = [takingTurns(), takingTurns()];
  const compared = await compare({
    what: "resolve three slots from a cold SQLite file",
    bare: "SELECT in SQLite",
    ours: async () => await resolver.resolve(next(), agent),
    theirs: () => select.all(other()),
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
  const [next, other] = [takingTurns(), takingTurns()];
  const text = "SELECT * FROM byok_secret WHERE org_id = $1";
  const compared = await compare({
    what: "resolve three slots from a cold Postgres",
    bare: "SELECT in Postgres",
    ours: async () => await resolver.resolve(next(), agent),
    theirs: async () => await pool.query({ name: "bare", text, values: [other()] }),
  });
  await resolver.close();
  await pool.end();
  await admin.query("DROP DATABASE byokit_bench WITH (FORCE)");
  await admin.end();
  await server.stop();
  return compared;
}
