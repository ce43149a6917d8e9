import { Redis } from "ioredis";
import { createKeyManager, createResolver, type Keyring, type KeyStore } from "../../src/index.ts";
import type { KeyCache } from "../../src/shared-cache/key-cache.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { readDocument } from "./documents.ts";

/** Runs docs/scaling.md's own lines about Redis, on the Redis of this URL. What they build is the caller's to close. */
export function runDocumentedRedis(url: string, store: KeyStore, keyring: Keyring) {
  const [, code] = /```ts\n(?<code>(?:(?!```).)*new Redis\(.*?)```/su.exec(readDocument("docs/scaling.md")) ?? [];
  if (code === undefined) throw new Error("docs/scaling.md has no block that makes a Redis client.");
  const body = code.replace(/^import .*$/gmu, "");
  const given = {
    createKeyManager,
    createResolver,
    redisCache,
    Redis,
    store,
    keyring,
    process: { env: { REDIS_URL: url } },
  };
  const run = new Function(...Object.keys(given), `${body}; return { redis, cache, worker };`);
  return run(...Object.values(given)) as { redis: Redis; cache: KeyCache; worker: ReturnType<typeof createResolver> };
}
