import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import pg from "pg";
import { redisCache } from "../../src/cache/redis-cache.ts";
import {
  createKeyManager,
  createKeyring,
  generateKeyring,
  type KeyManager,
  type KeyringJson,
  type Provider,
} from "../../src/index.ts";
import { postgresStore } from "../../src/vault/postgres-store.ts";
import { ownPostgresServer } from "../servers/postgres-server.ts";
import type { RedisServer } from "../servers/redis-server.ts";
import { connectRedis, type RedisAddress, type RedisTopology, singleRedis } from "../servers/redis-topology.ts";
import { Truth } from "./truth.ts";
import { ada } from "./vendor.ts";

export interface WorkerOptions {
  readonly postgresUrl: string;
  readonly redis: RedisAddress | null;
  readonly prefix: string;
  readonly keyring: KeyringJson;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly orgs: number;
  readonly callsPerSecond: number;
}

/** What one call was handed out, by the clock of this machine. */
export interface Outcome {
  readonly orgId: string;
  readonly value?: string;
  readonly failed?: string;
  readonly stale: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
}

export const leaseMs = 2_000;
export const orgs = 20;
export const pollMs = 500;

/** Two workers and a manager in processes of their own, on a Postgres and a Redis of their own, under load. */
export interface Deployment extends AsyncDisposable {
  readonly truth: Truth;
  readonly manager: KeyManager;
  readonly workers: readonly ChildProcess[];
  /** The first one is the only one, the master, or a node. */
  readonly redis: readonly RedisServer[];
  readonly postgres: { readonly url: string; readonly dataFolder: string };
  /** Everything that the workers were handed out since it was last asked for. */
  takeOutcomes(): Outcome[];
  /** Replaces or removes some organisation's key. Fails as the manager does. */
  change(): Promise<void>;
}

export async function deploy(startRedis: (() => Promise<RedisTopology>) | null = singleRedis): Promise<Deployment> {
  const postgres = await ownPostgresServer();
  const redis = await startRedis?.();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 5 });
  pool.on("error", () => {});
  const store = postgresStore({ pool, timeoutMs: 500 });
  await store.migrate();
  const keyring = generateKeyring("kek-1");
  const prefix = `${randomUUID()}:`;
  const client = redis && connectRedis(redis.address);
  const cache = client === undefined ? {} : { cache: redisCache({ redis: client, prefix }) };
  const providers: readonly Provider[] = [ada];
  const manager = createKeyManager({
    store,
    keyring: createKeyring(keyring),
    ...cache,
    providers,
    leaseMs,
    deadlineMs: 1_000,
  });
  const truth = new Truth(manager);
  const address = redis?.address ?? null;
  const options = {
    postgresUrl: postgres.url,
    redis: address,
    prefix,
    keyring,
    leaseMs,
    pollMs,
    orgs,
    callsPerSecond: 100,
  };
  const outcomes: Outcome[] = [];
  const workers = [0, 1].map(() =>
    fork(join(import.meta.dirname, "worker-process.ts"), [JSON.stringify(options satisfies WorkerOptions)], {
      execArgv: [],
    }),
  );
  await Promise.all(workers.map((worker) => once(worker, "message")));
  for (const worker of workers) worker.on("message", (some: Outcome[]) => outcomes.push(...some));
  let turn = 0;
  return {
    truth,
    manager,
    workers,
    redis: redis?.servers ?? [],
    postgres,
    takeOutcomes: () => outcomes.splice(0),
    change: async () => await truth.change(`org-${turn++ % orgs}`),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        workers.map(async (worker) => {
          worker.kill("SIGCONT");
          if (worker.connected) worker.disconnect();
          if (worker.exitCode === null) await once(worker, "exit");
        }),
      );
      client?.disconnect();
      await pool.end().catch(() => {});
      await redis?.stop();
      await postgres.stop();
    },
  };
}
