import { randomUUID } from "node:crypto";
import pg from "pg";
import { createKeyManager, createKeyring, generateKeyring, type Provider } from "../../src/index.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { type PostgresTopology, singlePostgres } from "../servers/postgres-topology.ts";
import type { RedisServer } from "../servers/redis-server.ts";
import { connectRedis, type RedisTopology, singleRedis } from "../servers/redis-topology.ts";
import { ada } from "../support/ada.ts";
import { RunningWorker, type WorkerOptions } from "./running-worker.ts";
import { Truth } from "./truth.ts";

export const leaseMs = 2_000;
export const pollMs = 500;
export const deadlineMs = 1_000;
export const orgIds: readonly string[] = Array.from({ length: 10 }, (_, org) => `org-${org}`);

/** Two workers in processes of their own and a manager, on a Postgres and a Redis of their own, under load. */
export interface Deployment extends AsyncDisposable {
  readonly truth: Truth;
  readonly workers: readonly RunningWorker[];
  /** The first one is the only one, the master, or a node. */
  readonly redis: readonly RedisServer[];
  readonly postgres: PostgresTopology;
  /** Whether Redis has an entry of the organisation. */
  isShared(orgId: string): Promise<boolean>;
  /** Starts one more worker, on these organisations. */
  join(orgIds: readonly string[]): Promise<RunningWorker>;
  /** Replaces or removes some organisation's key. Fails as the manager does. */
  change(): Promise<void>;
}

export interface Topologies {
  /** `null`: none. @default one server */
  readonly redis?: (() => Promise<RedisTopology>) | null;
  /** @default one server */
  readonly postgres?: () => Promise<PostgresTopology>;
}

export async function deploy({ redis: startRedis, postgres: startPostgres }: Topologies = {}): Promise<Deployment> {
  const postgres = await (startPostgres ?? singlePostgres)();
  const redis = startRedis === null ? undefined : await (startRedis ?? singleRedis)();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 5 });
  pool.on("error", () => {});
  const store = postgresStore({ pool, timeoutMs: 500 });
  await store.migrate();
  const keyring = generateKeyring("kek-1");
  const prefix = `${randomUUID()}:`;
  const client = redis && connectRedis(redis.address);
  const cache = client === undefined ? {} : { cache: redisCache({ redis: client, prefix }) };
  const providers: readonly Provider[] = [ada];
  const truth = new Truth(
    createKeyManager({ store, keyring: createKeyring(keyring), ...cache, providers, leaseMs, deadlineMs }),
  );
  const options: WorkerOptions = {
    databaseUrl: postgres.url,
    redis: redis?.address ?? null,
    prefix,
    keyring,
    leaseMs,
    pollMs,
    deadlineMs,
  };
  const workers: RunningWorker[] = [];
  const join = async (some: readonly string[]): Promise<RunningWorker> => {
    const worker = new RunningWorker(options);
    workers.push(worker);
    worker.call(some);
    await worker.reports(({ outcomes }) => outcomes.length > 0);
    return worker;
  };
  await Promise.all([join(orgIds), join(orgIds)]);
  let turn = 0;
  return {
    truth,
    workers,
    redis: redis?.servers ?? [],
    postgres,
    isShared: async (orgId) => (await client?.exists(`${prefix}keys:${orgId}`)) === 1,
    join,
    change: async () => await truth.change(orgIds[turn++ % orgIds.length] as string),
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      client?.disconnect();
      await pool.end().catch(() => {});
      await redis?.stop();
      await postgres.stop();
    },
  };
}
