import { callPort } from "../call-hook.ts";
import { CircuitBreaker } from "../circuit-breaker.ts";
import type { Clock } from "../clock.ts";
import { ownProperty } from "../own-property.ts";
import type { CacheFailure, CacheSubscription, ChangeNotice, KeyCache } from "./key-cache.ts";

const maxPending = 1_000;
/** One for all: a process that builds managers by the thousand leaves one watcher behind. */
const ignore = (): void => {};

/** Who is told of a shared cache. Absent: no one. */
export interface CacheListener {
  readonly onChange?: (isUp: boolean) => void;
  readonly onFailure?: (failure: CacheFailure) => void;
}

/** A shared cache behind a circuit breaker: nothing that it does rejects, or takes longer than its time-out. */
export class CacheCircuitBreaker {
  readonly #cache: KeyCache;
  readonly #breaker: CircuitBreaker;
  readonly #watch: CacheSubscription | undefined;

  constructor(cache: KeyCache, clock: Clock, listener?: CacheListener) {
    const { onChange = ignore, onFailure = ignore } = listener ?? {};
    this.#cache = cache;
    this.#breaker = new CircuitBreaker({ clock, maxPending, onChange });
    const onReach = listener && ((isReached: boolean): void => this.#noteReach(isReached));
    this.#watch = callPort(() => ownProperty(cache, "watch")?.call(cache, onFailure, onReach), undefined);
  }

  get isUp(): boolean {
    return this.#breaker.isUp;
  }

  /** `undefined` when there is no entry, or none that could be had in time. */
  async get(orgId: string): Promise<Uint8Array | undefined> {
    return (await this.#run(() => this.#cache.get(orgId)))?.answer;
  }

  async set(orgId: string, entry: Uint8Array): Promise<void> {
    await this.#run(() => this.#cache.set(orgId, entry));
  }

  /** Whether the cache took the notice. */
  async invalidate(notice: ChangeNotice): Promise<boolean> {
    return (await this.#run(() => this.#cache.invalidate(notice))) !== undefined;
  }

  /** Says no more of failures. */
  close(): void {
    callPort(() => this.#watch?.close(), undefined);
  }

  #noteReach(isReached: boolean): void {
    if (isReached) this.#breaker.noteAnswer();
    else this.#breaker.giveUp();
  }

  #run<T>(send: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    return this.#breaker.run(this.#cache.timeoutMs, send);
  }
}
