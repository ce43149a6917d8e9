import { positiveMilliseconds, text } from "../option-kinds.ts";
import { copyOwn, ownProperty } from "../own-property.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import { type KeyCache, maxEntryBytes } from "./key-cache.ts";
import { findWarnings, type RedisClient, redisClientKind } from "./redis-client.ts";
import { RedisConnection } from "./redis-connection.ts";
import { RedisFailures } from "./redis-failures.ts";
import { RedisSubscription } from "./redis-subscription.ts";

export interface RedisCacheOptions {
  /** An ioredis `Redis` (Sentinel too) or `Cluster`. The caller owns it and closes it. See docs/scaling.md for its options. */
  readonly redis: RedisClient;
  /** How long an entry lives, give or take a tenth. @default 3_600_000 */
  readonly ttlMs?: number | undefined;
  /** The longest that one command is waited for. @default 50 */
  readonly timeoutMs?: number | undefined;
  /**
   * In front of every key and of the channel, behind the client's own `keyPrefix`. Two deployments in one Redis need two.
   *
   * @default "byok:"
   */
  readonly prefix?: string | undefined;
}

const rules: OptionRules<RedisCacheOptions> = {
  redis: required(redisClientKind),
  ttlMs: positiveMilliseconds,
  timeoutMs: positiveMilliseconds,
  prefix: text,
};

/** Entries live a tenth longer or shorter, so that those written together do not end together. */
const jitter = 0.1;

/**
 * Redis as the cache that workers share: one key per organisation, which holds sealed bytes and nothing else, and one
 * channel for notices.
 *
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { createResolver } from "byokit";
 * import { redisCache } from "byokit/redis";
 * import { Redis } from "ioredis";
 *
 * // The options with which a client fails fast and comes back are in docs/redis.md.
 * const redis = new Redis("redis://localhost:6379", { enableOfflineQueue: false, commandTimeout: 200 });
 * const worker = createResolver({ store, keyring, cache: redisCache({ redis }) });
 * ```
 */
export function redisCache(given: RedisCacheOptions): KeyCache {
  const options = readOptions("redisCache()", given, rules);
  const { redis, prefix = "byok:", ttlMs = 3_600_000, timeoutMs = 50 } = options;
  const channel = `${readKeyPrefix(redis)}${prefix}changes`;
  const nameKey = (orgId: string): string => `${prefix}keys:${orgId}`;
  const failures = new RedisFailures(redis);
  const connection = RedisConnection.of(redis);

  return {
    maxAgeMs: ttlMs * (1 + jitter),
    timeoutMs,

    async get(orgId) {
      // One byte more than an entry may have: what is too large is then known to be, whatever its size.
      const entry = await failures.run("read", redis.getrangeBuffer(nameKey(orgId), 0, maxEntryBytes));
      return entry.length === 0 ? undefined : entry;
    },

    async set(orgId, entry) {
      const lifeMs = Math.ceil(ttlMs * (1 - jitter + 2 * jitter * Math.random()));
      await failures.run("write", redis.set(nameKey(orgId), Buffer.from(entry), "PX", lifeMs));
    },

    async invalidate(notice) {
      const { orgId, seq, firstSeq } = copyOwn(notice);
      // A replica takes a notice and keeps it to itself. That it takes no deletion is what gives it away, were it of nothing.
      await Promise.all([
        failures.run("write", redis.del(nameKey(orgId ?? ""))),
        failures.run("publish", redis.publish(channel, JSON.stringify({ org: orgId, seq, first: firstSeq }))),
      ]);
    },

    subscribe: (onNotice) => new RedisSubscription(redis, channel, failures, onNotice),
    watch(onFailure, onReach) {
      const watches = [failures.watch(onFailure), ...(onReach === undefined ? [] : [connection.watch(onReach)])];
      return { close: () => watches.forEach((watch) => void watch.close()) };
    },
    warnings: () => [...new Set([...findWarnings(redis), ...failures.standing.map(({ advice }) => advice)])],
  };
}

/** ioredis puts it in front of keys only. */
function readKeyPrefix({ options, isCluster }: RedisClient): string {
  const given = options as { readonly keyPrefix?: string; readonly redisOptions?: { readonly keyPrefix?: string } };
  const own = ownProperty(given, "keyPrefix");
  const ofNodes = ownProperty(given, "redisOptions") ?? {};
  return (isCluster ? (ownProperty(ofNodes, "keyPrefix") ?? own) : own) ?? "";
}
