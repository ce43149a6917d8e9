import { callHook } from "../call-hook.ts";
import { describeRedisFailure } from "./describe-redis-failure.ts";
import type { CacheFailure, CacheOperation, CacheSubscription } from "./key-cache.ts";
import type { RedisClient } from "./redis-client.ts";

/** Before the same is said again of what fails now and then, as where a node of a cluster is gone, in milliseconds. */
const repeatMs = 10_000;

/** What fails of one client, each from its first failure until it succeeds again. */
export class RedisFailures {
  readonly #redis: RedisClient;
  readonly #standing = new Map<CacheOperation, CacheFailure>();
  readonly #saidAtMs = new Map<string, number>();
  readonly #watchers = new Set<(failure: CacheFailure) => void>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  get standing(): readonly CacheFailure[] {
    return [...this.#standing.values()];
  }

  /** While anybody watches the client has a listener for its errors: one without any could end the process. */
  watch(onFailure: (failure: CacheFailure) => void): CacheSubscription {
    if (this.#watchers.size === 0) this.#redis.on("error", this.#onError).on("ready", this.#onReady);
    this.#watchers.add(onFailure);
    return {
      close: () => {
        const isLast = this.#watchers.delete(onFailure) && this.#watchers.size === 0;
        if (isLast) this.#redis.off("error", this.#onError).off("ready", this.#onReady);
      },
    };
  }

  /** Passes a command's outcome on, and keeps in mind how it ended. */
  async run<T>(operation: CacheOperation, answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      this.noteSuccess(operation);
      return value;
    } catch (error) {
      this.note(operation, error);
      throw error;
    }
  }

  note(operation: CacheOperation, error: unknown): void {
    const failure = describeRedisFailure(operation, error);
    // What ended the connection says more than that commands find none.
    if (failure.reason === "unreachable" && operation !== "connect" && this.#standing.has("connect")) return;
    if (this.#standing.get(operation)?.reason === failure.reason) return;
    this.#standing.set(operation, failure);
    const name = `${operation} ${failure.reason}`;
    const nowMs = performance.now();
    if (nowMs - (this.#saidAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < repeatMs) return;
    this.#saidAtMs.set(name, nowMs);
    for (const watcher of this.#watchers) callHook(watcher, failure);
  }

  noteSuccess(operation: CacheOperation): void {
    this.#standing.delete(operation);
  }

  readonly #onError = (error: unknown): void => this.note("connect", error);

  readonly #onReady = (): void => {
    for (const { operation, reason } of this.standing) {
      const isOver = reason === "unreachable" && operation !== "subscribe";
      if (operation === "connect" || isOver) this.noteSuccess(operation);
    }
  };
}
