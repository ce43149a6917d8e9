import { positiveMs } from "../options.ts";
import type { ChangeNotice, KeyCache } from "./key-cache.ts";
import { createSubscriber, findWarnings, type RedisClient } from "./redis-client.ts";

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
 * channel for notices.
 *
 * @throws ByokError `options_invalid`
 */
export function redisCache(options: RedisCacheOptions): KeyCache {
  const { redis, prefix = "byok:" } = options;
  const ttlMs = positiveMs("ttlMs", options.ttlMs ?? 3_600_000);
  const timeoutMs = positiveMs("timeoutMs", options.timeoutMs ?? 50);
  const channel = `${prefix}changes`;
  const nameKey = (orgId: string): string => `${prefix}keys:${orgId}`;

  return {
    maxAgeMs: ttlMs * (1 + jitter),
    timeoutMs,

    async get(orgId) {
      return (await redis.getBuffer(nameKey(orgId))) ?? undefined;
    },

    async set(orgId, entry) {
      const lifeMs = Math.ceil(ttlMs * (1 - jitter + 2 * jitter * Math.random()));
      await redis.set(nameKey(orgId), Buffer.from(entry), "PX", lifeMs);
    },

    async invalidate({ orgId, seq, firstSeq }) {
      const published = redis.publish(channel, JSON.stringify({ org: orgId, seq, first: firstSeq }));
      await Promise.all(orgId === null ? [published] : [redis.del(nameKey(orgId)), published]);
    },

    subscribe(onNotice) {
      const subscriber = createSubscriber(redis);
      subscriber.on("error", () => {});
      subscriber.on("message", (from, text) => {
        const notice = from === channel ? parseNotice(text) : undefined;
        if (notice !== undefined) onNotice(notice);
      });
      subscriber.subscribe(channel).catch(() => {});
      return { close: () => subscriber.disconnect() };
    },

    warnings: () => findWarnings(redis),
  };
}

/** Anybody may publish: what is no notice is dropped. */
function parseNotice(text: string): ChangeNotice | undefined {
  try {
    const { org, seq, first } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (!(typeof org === "string" || org === null) || !(seq === null || isSeq(seq))) return undefined;
    return { orgId: org, seq, ...(isSeq(first) ? { firstSeq: first } : {}) };
  } catch {
    return undefined;
  }
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
