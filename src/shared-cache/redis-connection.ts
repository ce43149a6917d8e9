import { callHook } from "../call-hook.ts";
import type { CacheSubscription } from "./key-cache.ts";
import type { RedisClient } from "./redis-client.ts";

/**
 * Whether a client has its connection, told as it is lost and when it is back, also while nothing is asked. It is lost once an
 * attempt to make it again has failed: one that a server closes for being idle is back before anything is missed.
 */
export class RedisConnection {
  readonly #redis: RedisClient;
  readonly #watchers = new Set<(isReached: boolean) => void>();
  /** Whether it was ready since it was closed last. */
  #wasReady = false;
  #isLost = false;

  constructor(redis: RedisClient) {
    this.#redis = redis;
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
    this.#wasReady = this.#redis.status === "ready";
    this.#isLost = this.#redis.status === "end";
    this.#redis.on("ready", this.#onReady).on("close", this.#onClose).on("end", this.#onEnd);
  }

  #end(): void {
    this.#redis.off("ready", this.#onReady).off("close", this.#onClose).off("end", this.#onEnd);
  }

  readonly #onReady = (): void => {
    this.#wasReady = true;
    this.#tell(false);
  };

  readonly #onClose = (): void => {
    if (!this.#wasReady) this.#tell(true);
    this.#wasReady = false;
  };

  readonly #onEnd = (): void => this.#tell(true);

  /** A client that is ready was answered: each time, what was given up for another reason is asked again. */
  #tell(isLost: boolean): void {
    if (isLost && this.#isLost) return;
    this.#isLost = isLost;
    for (const watcher of this.#watchers) callHook(watcher, !isLost);
  }
}
