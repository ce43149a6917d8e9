import { setTimeout as pause } from "node:timers/promises";
import { createKeyManager, createKeyring, generateKeyring } from "byokit";
import { postgresStore } from "byokit/postgres";
import { redisCache } from "byokit/redis";
import type { Redis } from "ioredis";
import pg from "pg";
import { ownPostgresServer } from "../test/servers/postgres-server.ts";
import { failFastRedis, ownRedisServer } from "../test/servers/redis-server.ts";
import { agent, type FleetWorker, startWorker } from "./fleet-worker.ts";
import { until } from "./until.ts";

/** All in this process, which therefore shares its time among them; a fleet of a thousand is not simulated. */
const workersOfFleet = 4;
const runMs = 5_000;

interface Situation {
  readonly situation: string;
  /** Removals a second of keys that every worker holds. */
  readonly held: number;
  /** Changes a second of organisations that no worker holds. */
  readonly others?: number;
  /** Notices a second of changes of what is held that never happened. */
  readonly forged?: number;
  /** Whose figures are told; every worker's where it is absent. */
  readonly of?: "first" | "others";
  readonly begin?: (workers: readonly FleetWorker[]) => void;
  readonly goal?: FleetGoal;
}

/** The most that it may take. */
interface FleetGoal {
  readonly p99Ms?: number;
  readonly pollsPerSecond?: number;
}

export interface FleetFigures {
  readonly situation: string;
  readonly removals: number;
  /** From the answer of a removal until a worker has read it, after which it hands that key out no more. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one worker. */
  readonly pollsPerSecond: number;
  readonly goal?: FleetGoal | undefined;
}

const situations: readonly Situation[] = [
  { situation: "quiet", held: 0 },
  { situation: "20 removals a second, all held", held: 20, goal: { p99Ms: 10 } },
  { situation: "50 removals a second, all held", held: 50, goal: { p99Ms: 10 } },
  { situation: "200 removals a second, all held", held: 200, goal: { p99Ms: 10 } },
  { situation: "200 changes a second, a tenth of them held", held: 20, others: 180 },
  {
    situation: "1,780 forged notices a second, 20 changes of others",
    held: 0,
    others: 20,
    forged: 1_780,
    goal: { pollsPerSecond: 12 },
  },
  { situation: "1,780 forged notices a second, 20 removals", held: 20, forged: 1_780 },
  { situation: "20 removals a second, as a worker 80 ms away has them", held: 20, of: "first" },
  {
    situation: "20 removals a second, while one worker stands still",
    held: 20,
    of: "others",
    begin: ([first]) => {
      first?.database.fallSilent();
      first?.redis.fallSilent();
    },
  },
  {
    situation: "20 removals a second, Redis gone",
    held: 20,
    begin: (workers) => {
      for (const { redis } of workers) redis.to(null);
    },
  },
];

/** Runs every situation on servers of its own. */
export async function fleet(): Promise<FleetFigures[]> {
  const all: FleetFigures[] = [];
  for (const one of situations) all.push(await run(one));
  return all;
}

async function run({ situation, held, others = 0, forged = 0, of, begin, goal }: Situation): Promise<FleetFigures> {
  const [postgres, redisServer] = [await ownPostgresServer(), await ownRedisServer()];
  const pool = new pg.Pool({ connectionString: postgres.url, max: 8 });
  const store = postgresStore({ pool });
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const redis = failFastRedis(redisServer.url);
  const cache = redisCache({ redis, timeoutMs: 1_000 });
  const manager = createKeyManager({ store, keyring, verify: "off", cache, deadlineMs: 20_000 });
  const orgIds = Array.from({ length: 1 + Math.ceil((held * runMs) / 1_000) }, (_, at) => `held-${at}`);
  await manager.setMany(orgIds.map((orgId) => ({ orgId, provider: "openai", apiKey: `key-of-${orgId}` })));
  const servers = { databaseUrl: postgres.url, redisUrl: redisServer.url, keyring };
  const workers: FleetWorker[] = [];
  for (let at = 0; at < workersOfFleet; at += 1)
    workers.push(await startWorker(servers, at === 0 && of === "first" ? 80 : 0));
  for (const { resolver } of workers) {
    await resolver.ready();
    for (const orgId of orgIds) await resolver.resolve(orgId, agent, { deadlineMs: 20_000 });
  }
  await pause(1_000);
  begin?.(workers);
  const told = workers.slice(of === "others" ? 1 : 0, of === "first" ? 1 : undefined);
  for (const { readings } of told) readings.length = 0;
  const removedAtMs = new Map<number, number>();
  await Promise.all([
    pause(runMs),
    atRate(held, async (at) => {
      const { seq } = await manager.remove(orgIds[at] ?? "", { provider: "openai" });
      removedAtMs.set(seq, performance.now());
    }),
    atRate(others, (at) => manager.set(`other-${at}`, { provider: "openai", apiKey: `key-${at}` })),
    forge(redis, forged),
  ]);
  const polls = told.reduce((sum, { readings }) => sum + readings.length, 0) / told.length;
  const lastSeq = Math.max(...removedAtMs.keys());
  const areRead = (): boolean => told.every(({ readings }) => (readings.at(-1)?.upTo ?? 0) >= lastSeq);
  if (held > 0) await until("every worker has read of the last removal", areRead);
  const heardMs = told.flatMap(({ readings }) =>
    [...removedAtMs].map(([seq, atMs]) => {
      const reading = readings.find(({ upTo }) => upTo >= seq);
      return Math.max(0, (reading?.atMs ?? Number.POSITIVE_INFINITY) - atMs);
    }),
  );
  for (const worker of workers) await worker.stop();
  redis.disconnect();
  await pool.end();
  await Promise.all([redisServer.stop(), postgres.stop()]);
  heardMs.sort((a, b) => a - b);
  const at = (share: number): number => heardMs[Math.floor((heardMs.length - 1) * share)] ?? Number.NaN;
  const removals = removedAtMs.size;
  return { situation, removals, p50Ms: at(0.5), p99Ms: at(0.99), pollsPerSecond: (polls * 1_000) / runMs, goal };
}

/** Begins `perSecond` pieces of work a second, whether or not those before have ended. */
async function atRate(perSecond: number, work: (at: number) => Promise<unknown>): Promise<void> {
  const count = (perSecond * runMs) / 1_000;
  const beganAtMs = performance.now();
  const all: Promise<unknown>[] = [];
  for (let at = 0; at < count; at += 1) {
    const early = beganAtMs + (at * 1_000) / perSecond - performance.now();
    if (early > 0) await pause(early);
    all.push(work(at));
  }
  await Promise.all(all);
}

/** Somebody who can write to Redis sends notices of changes that never happened, in batches. */
async function forge(redis: Redis, perSecond: number): Promise<void> {
  const batchMs = 10;
  const notice = JSON.stringify({ org: "held-0", seq: 1_000_000_000 });
  const batch = Array.from({ length: (perSecond * batchMs) / 1_000 }, () => notice);
  await atRate(perSecond === 0 ? 0 : 1_000 / batchMs, () =>
    Promise.all(batch.map((message) => redis.publish("byok:changes", message))).catch(() => {}),
  );
}
