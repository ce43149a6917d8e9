import { systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
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
  const settled = new Promise<void>((resolve) => {
    redis.once("ready", resolve);
    redis.once("close", resolve);
  });
  const expire = (): Error => new Error("Redis is not there yet.");
  await within(systemClock, connectMs, settled, expire).catch(() => {});
  return { cache: redisCache({ redis }), close: () => redis.disconnect() };
}
