import { importOptional } from "../import-optional.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import { redisCache } from "../shared-cache/redis-cache.ts";

export interface OpenedCache {
  readonly cache: KeyCache;
  close(): void;
}

/** The longest that a command waits for Redis to be there; without it workers learn of a change within their lease. */
const connectMs = 1_000;

export async function openCache(url: string | undefined): Promise<OpenedCache | undefined> {
  if (!url) return undefined;
  const { Redis } = await importOptional("redis", "ioredis@6", () => import("ioredis"));
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 200,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: connectMs,
  });
  redis.on("error", () => {});
  const settled = Promise.withResolvers<void>();
  const timer = setTimeout(settled.resolve, connectMs);
  redis.once("ready", settled.resolve);
  redis.once("close", settled.resolve);
  await settled.promise;
  clearTimeout(timer);
  return { cache: redisCache({ redis }), close: () => redis.disconnect() };
}
