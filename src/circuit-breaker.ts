import type { Clock } from "./clock.ts";
import { within } from "./deadline.ts";

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Requests that may be under way at once: a service that stalls must not gather them without end. */
  readonly maxPending: number;
  /** Told when the service is given up, and when it answers again. Must not throw. */
  readonly onChange: (isUp: boolean) => void;
}

/** Failures in a row after which a service is no longer asked. */
const maxFailures = 5;
/** Between two requests that try whether it is back, in milliseconds: at first, and at most. */
const firstProbeMs = 250;
const maxProbeMs = 5_000;

/**
 * The way to a service that may be down: no request is waited for longer than its time-out, and a service that fails is
 * no longer asked except for a probe now and then.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #pending = 0;
  #failures = 0;
  #probeMs = firstProbeMs;
  #probeAtMs = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Whether the service is asked; `false` while only probes are sent. */
  get isUp(): boolean {
    return this.#failures < maxFailures;
  }

  /** Never rejects: `undefined` when the service was not asked, failed, or did not answer within `limitMs`. */
  async run<T>(limitMs: number, send: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    if (!this.#mayAsk()) return undefined;
    this.#pending += 1;
    try {
      const work = call(send).finally(() => {
        this.#pending -= 1;
      });
      const answer = await within(this.#options.clock, limitMs, work, () => new Error("No answer in time."));
      this.#noteAnswer();
      return { answer };
    } catch {
      this.#noteFailure();
      return undefined;
    }
  }

  #mayAsk(): boolean {
    if (this.#pending >= this.#options.maxPending) return false;
    if (this.isUp) return true;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#probeAtMs) return false;
    this.#probeAtMs = nowMs + this.#probeMs;
    return true;
  }

  #noteAnswer(): void {
    const wasUp = this.isUp;
    this.#failures = 0;
    this.#probeMs = firstProbeMs;
    if (!wasUp) this.#options.onChange(true);
  }

  #noteFailure(): void {
    this.#failures += 1;
    if (this.#failures < maxFailures) return;
    if (this.#failures === maxFailures) this.#options.onChange(false);
    this.#probeAtMs = this.#options.clock.monotonicMs() + this.#probeMs;
    this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);
  }
}

/** What throws where it should reject is caught as well. */
async function call<T>(send: () => Promise<T>): Promise<T> {
  return await send();
}
