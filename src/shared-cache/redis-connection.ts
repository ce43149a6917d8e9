import { callHook } from "../call-hook.ts";
import type { CacheSubscription } from "./key-cache.ts";
import type { RedisClient } from "./redis-client.ts";

/** How long a connection that was closed may take to come back, in milliseconds: one that a server closes for being idle does. */
const awayMs = 1_000;

const connections = new WeakMap<RedisClient, RedisConnection>();

/**
 * Whether a client has its connection, told as it is lost and when it is back, also while nothing is asked. It is lost once it
 * was closed and is not back within a second.
 */
export class RedisConnection {
  readonly #redis: RedisClient;
  /** Whether `ready` means that the server has answered. */
  readonly #isChecked: boolean;
  readonly #watchers = new Set<(isReached: boolean) => void>();
  #isLost = false;
  #away: NodeJS.Timeout | undefined;

  private constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#isChecked = (redis.options as { enableReadyCheck?: boolean }).enableReadyCheck !== false;
  }

  /** One for each client, whose emitter has a listener of each kind then, however many caches it serves. */
  static of(redis: RedisClient): RedisConnection {
    const connection = connections.get(redis) ?? new RedisConnection(redis);
    connections.set(redis, connection);
    return connection;
  }

  watch(onReach: (isReached: boolean) => void): CacheSubscription {
    if (this.#watchers.size === 0) this.#begin();
    this.#watchers.add(onReach);
    if (this.#isLost) callHook(onReach, false);
    return {
      close: () => {
        if (this.#watchers.delete(onReach) && this.#watchers.size === 0) this.#end();
      },
    };
  }

  #begin(): void {
    const { status } = this.#redis;
    this.#isLost = status === "end";
    if (status === "connecting" || status === "reconnecting") this.#onClose();
    this.#redis.on("ready", this.#onReady).on("close", this.#onClose);
  }

  #end(): void {
    this.#forgetClose();
    this.#redis.off("ready", this.#onReady).off("close", this.#onClose);
  }

  #forgetClose(): void {
    clearTimeout(this.#away);
    this.#away = undefined;
  }

  readonly #onClose = (): void => {
    this.#away ??= setTimeout(() => this.#tell(true), awayMs).unref();
  };

  readonly #onReady = (): void => {
    this.#forgetClose();
    if (this.#isChecked) this.#tell(false);
    else this.#isLost = false;
  };

  /** A client that is ready was answered: each time, what was given up for another reason is asked again. */
  #tell(isLost: boolean): void {
    if (isLost && this.#isLost) return;
    this.#isLost = isLost;
    for (const watcher of this.#watchers) callHook(watcher, !isLost);
  }
}
