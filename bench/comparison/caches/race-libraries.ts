/** The libraries as their documentation sets them up, with clients that fail fast. */
import type { EventEmitter } from "node:events";
import KeyvRedis from "@keyv/redis";
import { RedisMessageProvider } from "@qified/redis";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisBusDriver, redisDriver } from "bentocache/drivers/redis";
import { createCache } from "cache-manager";
import { Cacheable, Keyv } from "cacheable";
import { Redis, type RedisOptions } from "ioredis";
import type { Contestant, RaceWorker } from "../contestant.ts";

/** A database with one key in it, whose reads can be held between what they have read and their answer. */
class Database {
  held: Promise<void> = Promise.resolve();
  #key = "the key";

  remove(): void {
    this.#key = "nothing";
  }

  read: () => Promise<string> = async () => {
    const key = this.#key;
    await this.held;
    return key;
  };
}

/** Fails fast, as for byokit. The bus subscribes on a duplicate of it, which has to wait for its connection. */
class FailFastRedis extends Redis {
  constructor(url: string) {
    super(url, { enableOfflineQueue: false, commandTimeout: 200, maxRetriesPerRequest: 0 });
    this.on("error", () => {});
  }

  override duplicate(options?: RedisOptions): Redis {
    const patient = { enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: 3_000 };
    return super.duplicate({ ...options, ...patient }).on("error", () => {});
  }
}

const ttlMs = 600_000;
const key = "org";

const reading = (
  name: string,
  isTold: boolean,
  start: (read: () => Promise<string>, redisUrl?: string) => RaceWorker,
): Contestant => ({
  name,
  isTold,
  async begin() {
    const database = new Database();
    return {
      database,
      async worker(redisUrl) {
        const worker = start(database.read, redisUrl);
        const remove = async (): Promise<unknown> => {
          database.remove();
          return await worker.remove();
        };
        return { ...worker, remove };
      },
    };
  },
});

const bentocache = (how: "delete" | "deleteByTag"): Contestant =>
  reading(`bentocache, ${how}`, true, (read, redisUrl) => {
    const memory = bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 }));
    const clients = redisUrl === undefined ? [] : [new FailFastRedis(redisUrl), new FailFastRedis(redisUrl)];
    const [shared, bus] = clients;
    const store =
      shared === undefined || bus === undefined
        ? memory
        : memory.useL2Layer(redisDriver({ connection: shared })).useBus(redisBusDriver({ connection: bus }));
    const cache = new BentoCache({ default: "keys", stores: { keys: store } });
    return {
      async isConnected() {
        for (const client of clients) await client.ping();
        // It subscribes when it is first used.
        await cache.get({ key: "another" });
        return true;
      },
      ask: () => cache.getOrSet({ key, factory: read, ttl: ttlMs, tags: [key] }),
      remove: () => (how === "delete" ? cache.delete({ key }) : cache.deleteByTag({ tags: [key] })),
      close: () => cache.disconnectAll(),
    };
  });

/** Without these listeners the process ends when the connection does. */
const messageProvider = (uri: string): RedisMessageProvider => {
  const provider = new RedisMessageProvider({ uri });
  const { pub, sub } = provider as unknown as Record<"pub" | "sub", EventEmitter>;
  for (const client of [pub, sub]) client.on("error", () => {});
  return provider;
};

const keyvRedis = (url: string): KeyvRedis<unknown> =>
  new KeyvRedis({ url, disableOfflineQueue: true }).on("error", () => {}) as KeyvRedis<unknown>;

/** It connects with its first command. */
const isReady = async (shared: KeyvRedis<unknown> | undefined): Promise<boolean> => {
  await shared?.get("no such key");
  return shared === undefined || (shared.client as { readonly isReady?: boolean }).isReady === true;
};

const cacheable = reading("cacheable", true, (read, redisUrl) => {
  const shared = redisUrl === undefined ? undefined : keyvRedis(redisUrl);
  const provider = redisUrl === undefined ? undefined : messageProvider(redisUrl);
  const cache = new Cacheable({
    ttl: ttlMs,
    ...(shared === undefined ? {} : { secondary: shared }),
    ...(provider === undefined ? {} : { sync: { qified: provider } }),
  });
  cache.on("error", () => {});
  return {
    isConnected: () => isReady(shared),
    ask: () => cache.getOrSet(key, read),
    remove: () => cache.delete(key),
    close: () => cache.disconnect(),
  };
});

const cacheManager = reading("cache-manager", false, (read, redisUrl) => {
  const shared = redisUrl === undefined ? undefined : keyvRedis(redisUrl);
  const stores = [new Keyv(), ...(shared === undefined ? [] : [new Keyv({ store: shared })])];
  const cache = createCache({ ttl: ttlMs, stores });
  return {
    isConnected: () => isReady(shared),
    ask: () => cache.wrap(key, read),
    remove: () => cache.del(key),
    close: () => cache.disconnect(),
  };
});

export const libraryContestants: readonly Contestant[] = [
  bentocache("delete"),
  bentocache("deleteByTag"),
  cacheable,
  cacheManager,
];
