import { systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { importOptional } from "../import-optional.ts";
import type { CacheFailure, KeyCache } from "../shared-cache/key-cache.ts";
import { redisCache } from "../shared-cache/redis-cache.ts";

export interface OpenedCache {
  readonly cache: KeyCache;
  close(): void;
}

export interface OpenCacheOptions {
  /** In front of keys and channel, as the workers have it. Absent or empty: `redisCache`'s default. */
  readonly prefix?: string | undefined;
  /** Told when something of Redis begins to fail, from the first connection on. */
  readonly onFailure?: ((failure: CacheFailure) => void) | undefined;
}

/** The longest that a command waits for Redis to be there; without it workers learn of a change within their lease. */
const connectMs = 1_000;

/** @throws ByokError `options_invalid` when what is given is no URL of a Redis. */
export async function openCache(
  url: string | undefined,
  { prefix, onFailure = () => {} }: OpenCacheOptions = {},
): Promise<OpenedCache | undefined> {
  if (!url) return undefined;
  assertRedisUrl(url);
  const { Redis } = await importOptional("redis", "ioredis@6", () => import("ioredis"));
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 200,
    socketTimeout: 2_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    connectTimeout: connectMs,
  });
  const cache = redisCache({ redis, ...(prefix ? { prefix } : {}) });
  const watch = cache.watch?.(onFailure);
  const settled = new Promise<void>((resolve) => {
    redis.once("ready", resolve);
    redis.once("close", resolve);
  });
  const expire = (): Error => new Error("Redis is not there yet.");
  await within(systemClock, connectMs, settled, expire).catch(() => {});
  const close = (): void => {
    redis.once("end", () => watch?.close());
    redis.disconnect();
  };
  return { cache, close };
}

/** What ioredis would take for a socket's path, or for a host of that name, is a URL that was copied with its quotes. */
function assertRedisUrl(given: string): void {
  const isSocket = given.startsWith("/") && !given.startsWith("//");
  const parsed = /^rediss?:\/\/\S*[^\s"'`]$/iu.test(given) && URL.canParse(given) ? new URL(given) : undefined;
  if (isSocket || (parsed !== undefined && parsed.hostname !== "" && /^\/?\d*$/u.test(parsed.pathname))) return;
  const next = "Write it as redis://host:6379 or rediss://user:password@host:6379, without quotes around it.";
  throw new ByokError("options_invalid", `BYOK_REDIS_URL is no URL of a Redis. ${next}`);
}
