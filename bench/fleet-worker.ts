import { createResolver, type Keyring, type KeyStore, type Resolver } from "byokit";
import { postgresStore } from "byokit/postgres";
import { redisCache } from "byokit/redis";
import pg from "pg";
import { type Forwarder, forwarder } from "../test/servers/forwarder.ts";
import { failFastRedis } from "../test/servers/redis-server.ts";

export const agent = { llm_config: { provider: "openai" } } as const;

/** Up to which change a worker had read the log, and when. */
interface Reading {
  readonly upTo: number;
  readonly atMs: number;
}

/** A worker of the real code, with a pool, a Redis client and links of its own. */
export interface FleetWorker {
  readonly resolver: Resolver;
  readonly database: Forwarder;
  readonly redis: Forwarder;
  readonly readings: Reading[];
  stop(): Promise<void>;
}

export interface FleetServers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly keyring: Keyring;
}

/** `rttMs`: of every round trip to the database. */
export async function startWorker(
  { databaseUrl, redisUrl, keyring }: FleetServers,
  rttMs: number,
): Promise<FleetWorker> {
  const database = await forwarder(Number(new URL(databaseUrl).port), rttMs / 2);
  const redis = await forwarder(Number(new URL(redisUrl).port));
  const pool = new pg.Pool({ connectionString: onPort(databaseUrl, database.port), max: 4 });
  pool.on("error", () => {});
  const client = failFastRedis(onPort(redisUrl, redis.port));
  const readings: Reading[] = [];
  const store = watched(postgresStore({ pool }), readings);
  const resolver = createResolver({ store, keyring, cache: redisCache({ redis: client, timeoutMs: 1_000 }) });
  const stop = async (): Promise<void> => {
    await resolver.close();
    client.disconnect();
    for (const link of [database, redis]) await link.close();
    await Promise.race([pool.end(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  };
  return { resolver, database, redis, readings, stop };
}

/** Notes what each poll of the store shows. */
function watched(store: KeyStore, readings: Reading[]): KeyStore {
  return {
    ...store,
    async poll(cursor) {
      const page = await store.poll(cursor);
      readings.push({ upTo: page.changes.at(-1)?.seq ?? page.after, atMs: performance.now() });
      return page;
    },
  };
}

function onPort(given: string, port: number): string {
  const url = new URL(given);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}
