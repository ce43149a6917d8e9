import { type OptionKind, withMethods } from "../option-kinds.ts";
import { isRecord } from "../own-property.ts";

/** The part of an ioredis `Redis` or `Cluster` that is used. Either fits as it is. */
export interface RedisClient {
  getrangeBuffer(key: string, start: number, end: number): Promise<Buffer>;
  set(key: string, value: Buffer, unit: "PX", milliseconds: number): Promise<unknown>;
  del(key: string): Promise<number>;
  publish(channel: string, message: string): Promise<number>;
  // biome-ignore lint/suspicious/noExplicitAny: a Redis takes options, a Cluster takes nodes and options.
  duplicate(...overrides: any[]): RedisSubscriber;
  on(event: "error" | "ready" | "close", listener: (error: unknown) => void): this;
  off(event: "error" | "ready" | "close", listener: (error: unknown) => void): this;
  readonly options: object;
  readonly status: string;
  readonly isCluster?: boolean;
}

/** Neither a URL nor a client of another library is one. */
export const redisClientKind: OptionKind = {
  form: "a Redis or a Cluster of ioredis: new Redis(url)",
  fits: (value) => ioredis.fits(value) && isRecord((value as RedisClient).options),
};

const ioredis = withMethods("", ["getrangeBuffer", "set", "del", "publish", "duplicate", "on", "off"]);

export interface RedisSubscriber {
  subscribe(channel: string): Promise<unknown>;
  on(event: "messageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
  on(event: "error" | "ready", listener: (error: unknown) => void): unknown;
  off(event: "messageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
  off(event: "error" | "ready", listener: (error: unknown) => void): unknown;
  once(event: "end", listener: () => void): unknown;
  ping(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  readonly isCluster?: boolean;
  readonly status: string;
  /** Of a `Redis`, once it has begun to connect. */
  readonly stream?: { pause(): unknown; resume(): unknown };
}

/**
 * A subscriber waits for its connection instead of failing fast: a duplicate of a fail-fast client refuses to subscribe.
 * ioredis' own resubscription is switched off: when it fails, all that is left of it is an unhandled rejection.
 */
const patient = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  commandTimeout: 500,
  lazyConnect: false,
  autoResubscribe: false,
};

/** A connection of its own: a client that subscribes may not send commands. */
export function createSubscriber(redis: RedisClient): RedisSubscriber {
  if (!redis.isCluster) return redis.duplicate({ ...patient, disconnectTimeout: 100 });
  const { enableOfflineQueue, lazyConnect, autoResubscribe: _, ...redisOptions } = patient;
  const given = (redis.options as { redisOptions?: object }).redisOptions;
  return redis.duplicate([], { enableOfflineQueue, lazyConnect, redisOptions: { ...given, ...redisOptions } });
}

interface GivenOptions {
  readonly enableOfflineQueue?: boolean;
  readonly commandTimeout?: number;
  readonly socketTimeout?: number;
  readonly reconnectOnError?: unknown;
  readonly sentinels?: unknown;
  readonly redisOptions?: GivenOptions;
}

/** What makes a client wait where it should fail fast, or stay away once it could be back, with what to set instead. */
export function findWarnings({ options, status, isCluster }: RedisClient): string[] {
  const given = options as GivenOptions;
  const connection = isCluster ? (given.redisOptions ?? {}) : given;
  const warnings: string[] = [];
  if (given.enableOfflineQueue !== false) {
    warnings.push("The Redis client queues commands while it is offline. Set enableOfflineQueue: false.");
  }
  if (connection.commandTimeout === undefined) {
    warnings.push(
      "The Redis client waits without limit for a server that stalls. Set commandTimeout, in milliseconds.",
    );
  }
  if (connection.socketTimeout === undefined) {
    warnings.push(
      "The Redis client keeps a connection whose other end is gone without a word. Set socketTimeout, in milliseconds.",
    );
  }
  // A cluster sends its clients on, and a sentinel ends their connections.
  if (!isCluster && !given.sentinels && !given.reconnectOnError) {
    warnings.push(
      'The Redis client stays with a primary that has become a replica. Set reconnectOnError, to return true for "READONLY".',
    );
  }
  if (status === "end") {
    warnings.push(
      "The Redis client has ended, and will not connect again. Check its retryStrategy and who closes it, and restart.",
    );
  }
  return warnings;
}
