import { positiveMs } from "../options.ts";
import type { CacheHint, KeyCache } from "./key-cache.ts";
import { clientWarnings, type RedisClient, subscriberOf } from "./redis-client.ts";

export interface RedisCacheOptions {
  /** An ioredis `Redis` (Sentinel too) or `Cluster`. The caller owns it and closes it. See the README for its options. */
  readonly redis: RedisClient;
  /** How long an entry lives, give or take a tenth. @default 3_600_000 */
  readonly ttlMs?: number;
  /** The longest that one command is waited for. @default 50 */
  readonly timeoutMs?: number;
  /** In front of every key and of the channel. @default "byok:" */
  readonly prefix?: string;
}

/** Entries live a tenth longer or shorter, so that those written together do not end together. */
const jitter = 0.1;

/**
 * Redis as the cache that workers share: one key per organisation, which holds sealed bytes and nothing else, and one
 * channel for hints.
 *
 * @throws ByokError `options_invalid`
 */
export function redisCache(options: RedisCacheOptions): KeyCache {
  const { redis, prefix = "byok:" } = options;
  const ttlMs = positiveMs("ttlMs", options.ttlMs ?? 3_600_000);
  const timeoutMs = positiveMs("timeoutMs", options.timeoutMs ?? 50);
  const channel = `${prefix}changes`;
  const keyOf = (orgId: string): string => `${prefix}keys:${orgId}`;

  return {
    maxAgeMs: ttlMs * (1 + jitter),
    timeoutMs,

    async get(orgId) {
      return (await redis.getBuffer(keyOf(orgId))) ?? undefined;
    },

    async set(orgId, entry) {
      const lifeMs = Math.ceil(ttlMs * (1 - jitter + 2 * jitter * Math.random()));
      await redis.set(keyOf(orgId), Buffer.from(entry), "PX", lifeMs);
    },

    async invalidate({ orgId, seq }) {
      await Promise.all([redis.del(keyOf(orgId)), redis.publish(channel, JSON.stringify({ org: orgId, seq }))]);
    },

    subscribe(onHint) {
      const subscriber = subscriberOf(redis);
      subscriber.on("error", () => {});
      subscriber.on("message", (from, text) => {
        const hint = from === channel ? hintIn(text) : undefined;
        if (hint !== undefined) onHint(hint);
      });
      subscriber.subscribe(channel).catch(() => {});
      return { close: () => subscriber.disconnect() };
    },

    warnings: () => clientWarnings(redis),
  };
}

/** Anybody may publish: what is no hint is dropped. */
function hintIn(text: string): CacheHint | undefined {
  try {
    const { org, seq } = JSON.parse(text) as { readonly org?: unknown; readonly seq?: unknown };
    const isSeq = seq === null || (Number.isSafeInteger(seq) && Number(seq) >= 0);
    return typeof org === "string" && isSeq ? { orgId: org, seq: seq as number | null } : undefined;
  } catch {
    return undefined;
  }
}
