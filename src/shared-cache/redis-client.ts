/** The part of an ioredis `Redis` or `Cluster` that is used. Either fits as it is. */
export interface RedisClient {
  getBuffer(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer, unit: "PX", milliseconds: number): Promise<unknown>;
  del(key: string): Promise<number>;
  publish(channel: string, message: string): Promise<number>;
  // biome-ignore lint/suspicious/noExplicitAny: a Redis takes options, a Cluster takes nodes and options.
  duplicate(...overrides: any[]): RedisSubscriber;
  readonly options: object;
  readonly isCluster?: boolean;
}

export interface RedisSubscriber {
  subscribe(channel: string): Promise<unknown>;
  on(event: "message", listener: (channel: string, message: string) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  disconnect(): void;
}

/** A subscriber waits for its connection instead of failing fast: a duplicate of a fail-fast client refuses to subscribe. */
const patient = { enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: 500, lazyConnect: false };

/** A connection of its own: a client that subscribes may not send commands. */
export function createSubscriber(redis: RedisClient): RedisSubscriber {
  if (!redis.isCluster) return redis.duplicate({ ...patient, disconnectTimeout: 100 });
  const { enableOfflineQueue, lazyConnect, ...redisOptions } = patient;
  const given = (redis.options as { redisOptions?: object }).redisOptions;
  return redis.duplicate([], { enableOfflineQueue, lazyConnect, redisOptions: { ...given, ...redisOptions } });
}

/** What makes a client wait where it should fail fast, with what to set instead. */
export function findWarnings({ options, isCluster }: RedisClient): string[] {
  const cluster = options as { enableOfflineQueue?: boolean; redisOptions?: { commandTimeout?: number } };
  const single = options as { enableOfflineQueue?: boolean; commandTimeout?: number };
  const commandTimeout = isCluster ? cluster.redisOptions?.commandTimeout : single.commandTimeout;
  const warnings: string[] = [];
  if (single.enableOfflineQueue !== false) {
    warnings.push("The Redis client queues commands while it is offline. Set enableOfflineQueue: false.");
  }
  if (commandTimeout === undefined) {
    warnings.push(
      "The Redis client waits without limit for a server that stalls. Set commandTimeout, in milliseconds.",
    );
  }
  return warnings;
}
