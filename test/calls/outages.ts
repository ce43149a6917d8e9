import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import pg from "pg";
import { expect } from "vitest";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { forwarder } from "../servers/forwarder.ts";
import { failFastRedis } from "../servers/redis-server.ts";
import type { OwnStore } from "../support/stores.ts";
import { waitFor } from "../support/wait-for.ts";
import { callWorld, keys, leaseMs, pollMs } from "./call-world.ts";
import { holdCall, type Outcome } from "./hold-call.ts";
import type { Call, Way } from "./way.ts";

const portOf = (url: string): number => Number(new URL(url).port);

function throughPort(url: string, port: number): string {
  const through = new URL(url);
  through.port = String(port);
  return through.href;
}

/** The worker's database is gone from turn 3 to turn 6. The lease ends meanwhile, and the provider hangs up once. */
export async function withoutDatabase(way: Way, { store, url }: OwnStore): Promise<Outcome> {
  const network = await forwarder(portOf(url));
  const pool = new pg.Pool({ connectionString: throughPort(url, network.port), connectionTimeoutMillis: 3_000 });
  const worker = postgresStore({ pool });
  try {
    await using world = await callWorld(way, { store: worker, managed: { store } });
    const told = (type: string): void => expect(world.events.map((event) => event.type)).toContain(type);
    const loseIt = async (): Promise<void> => network.to(null);
    const endLease = async (): Promise<void> => {
      await world.clock.advance(leaseMs);
      await waitFor(() => told("poll_failed"));
      await world.clock.advance(leaseMs);
    };
    const hangUp = async ({ hungUp }: Call): Promise<void> => {
      world.hangUp(keys.old);
      await hungUp;
    };
    const findIt = async (): Promise<void> => {
      network.to(portOf(url));
      await waitFor(async () => {
        await world.clock.advance(pollMs);
        told("feed_recovered");
      });
    };
    return await holdCall(world, { after: { 2: loseIt, 3: endLease, 4: hangUp, 6: findIt } });
  } finally {
    await worker.close();
    await pool.end();
    await network.close();
  }
}

/** Redis is gone from turn 3 to turn 6, for the worker and for who replaces the key in turn 4, which the worker's poll finds. */
export async function withoutRedis(way: Way, url: string): Promise<Outcome> {
  const network = await forwarder(portOf(url));
  const clients: Redis[] = [];
  const connect = async (): Promise<Redis> => {
    const redis = failFastRedis(throughPort(url, network.port));
    clients.push(redis);
    await waitFor(() => expect(redis.status).toBe("ready"));
    return redis;
  };
  const prefix = `${randomUUID()}:`;
  const store = memoryStore();
  await store.migrate();
  const managed = { store, cache: redisCache({ redis: await connect(), prefix }) };
  const cache = redisCache({ redis: await connect(), prefix });
  try {
    await using world = await callWorld(way, { store, cache, managed });
    world.doubles.accept(way.provider, keys.new);
    const loseIt = async (): Promise<void> => network.to(null);
    const replace = async (): Promise<void> => await world.store(keys.new);
    const poll = ({ signal }: Call): Promise<void> =>
      waitFor(async () => {
        await world.clock.advance(pollMs);
        expect(signal.aborted).toBe(true);
      });
    const findIt = async (): Promise<void> => network.to(portOf(url));
    const outcome = await holdCall(world, { after: { 2: loseIt, 4: replace, 5: poll, 6: findIt } });
    // Which else of these is told hangs on how fast the clients of Redis find out.
    const events = outcome.events.filter((type) => !/^(?:cache_down|cache_up|subscription_renewed)$/u.test(type));
    return { ...outcome, events };
  } finally {
    for (const redis of clients) redis.disconnect();
    await network.close();
  }
}
