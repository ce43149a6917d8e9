import { systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { explainImport } from "../explain-import.ts";
import type { CacheFailure, KeyCache } from "../shared-cache/key-cache.ts";
import { redisCache } from "../shared-cache/redis-cache.ts";
import type { Environment } from "./environment.ts";
import { readServerUrl } from "./read-server-url.ts";
import { readSetting } from "./read-setting.ts";

export interface OpenedCache {
  readonly cache: KeyCache;
  close(): void;
}

/** The longest that a command waits for Redis to be there; without it workers learn of a change within their lease. */
const connectMs = 1_000;

/**
 * The workers' Redis, or `undefined` where no variable names one. `onFailure` is told when something of it begins to fail,
 * from the first connection on.
 *
 * @throws ByokError `options_invalid` when what is given is no URL of a Redis.
 */
export async function openCache(
  env: Environment,
  onFailure: (failure: CacheFailure) => void = () => {},
): Promise<OpenedCache | undefined> {
  const url = readSetting(env, "BYOK_REDIS_URL");
  const prefix = readSetting(env, "BYOK_REDIS_PREFIX");
  if (url === undefined) return undefined;
  assertRedisUrl(url);
  const { Redis } = await importRedis();
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 200,
    socketTimeout: 2_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    connectTimeout: connectMs,
  });
  const cache = redisCache({ redis, ...(prefix === undefined ? {} : { prefix }) });
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

/** A URL, or the path of a socket. ioredis would take much else for the one or the other. */
function assertRedisUrl(given: string): void {
  if (given.startsWith("/") && !given.startsWith("//")) return;
  const example = "redis://host:6379 or rediss://user:password@host:6379";
  const { pathname } = readServerUrl("BYOK_REDIS_URL", given, { scheme: /^rediss?:/iu, example });
  if (/^\/?\d*$/u.test(pathname)) return;
  const next = "A Redis has databases by number, as in redis://host:6379/1";
  throw new ByokError("options_invalid", `BYOK_REDIS_URL names a database that is no number. ${next}`);
}

async function importRedis(): Promise<Pick<typeof import("ioredis"), "Redis">> {
  try {
    return await import("ioredis");
  } catch (error) {
    throw explainImport(error, "redis", "ioredis@6");
  }
}
