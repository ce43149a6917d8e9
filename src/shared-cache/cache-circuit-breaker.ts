import type { Clock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import type { ChangeNotice, KeyCache } from "./key-cache.ts";

/** Commands that may be under way at once: a cache that stalls must not gather them without end. */
const maxPending = 1_000;
/** Failures in a row after which a cache is no longer asked. */
const maxFailures = 5;
/** Between two commands that try whether it is back: at first, and at most. */
const firstProbeMs = 250;
const maxProbeMs = 5_000;

/**
 * The way to a shared cache that may be down: no command is waited for longer than its time-out, a cache that fails is
 * no longer asked but for a probe now and then, and nothing that it does rejects.
 */
export class CacheCircuitBreaker {
  readonly #cache: KeyCache;
  readonly #clock: Clock;
  readonly #onChange: (isUp: boolean) => void;
  #pending = 0;
  #failures = 0;
  #probeMs = firstProbeMs;
  #probeAtMs = 0;

  constructor(cache: KeyCache, clock: Clock, onChange: (isUp: boolean) => void = () => {}) {
    this.#cache = cache;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get isUp(): boolean {
    return this.#failures < maxFailures;
  }

  /** `undefined` when there is no entry, or none that could be had in time. */
  async get(orgId: string): Promise<Uint8Array | undefined> {
    return (await this.#command(() => this.#cache.get(orgId)))?.answer;
  }

  async set(orgId: string, entry: Uint8Array): Promise<void> {
    await this.#command(() => this.#cache.set(orgId, entry));
  }

  /** Whether the cache took the notice. */
  async invalidate(notice: ChangeNotice): Promise<boolean> {
    return (await this.#command(() => this.#cache.invalidate(notice))) !== undefined;
  }

  async #command<T>(send: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    if (!this.#mayAsk()) return undefined;
    const { timeoutMs } = this.#cache;
    this.#pending += 1;
    try {
      const work = settled(send).finally(() => {
        this.#pending -= 1;
      });
      const answer = await within(this.#clock, timeoutMs, work, silent);
      if (!this.isUp) this.#onChange(true);
      this.#failures = 0;
      this.#probeMs = firstProbeMs;
      return { answer };
    } catch {
      this.#failed();
      return undefined;
    }
  }

  #mayAsk(): boolean {
    if (this.#pending >= maxPending) return false;
    if (this.isUp) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#probeAtMs) return false;
    this.#probeAtMs = nowMs + this.#probeMs;
    return true;
  }

  #failed(): void {
    this.#failures += 1;
    if (this.#failures < maxFailures) return;
    if (this.#failures === maxFailures) this.#onChange(false);
    this.#probeAtMs = this.#clock.monotonicMs() + this.#probeMs;
    this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);
  }
}

/** A cache of the user's own may throw where it should reject. */
async function settled<T>(send: () => Promise<T>): Promise<T> {
  return await send();
}

function silent(): ByokError {
  return new ByokError("store_unavailable", "The cache did not answer in time. It is not asked for a while.");
}
