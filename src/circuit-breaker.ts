import type { Clock } from "./clock.ts";
import { within } from "./deadline.ts";

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Requests of `run()` that may be under way at once: a service that stalls must not gather them without end. */
  readonly maxPending?: number;
  /** The longest between two probes. @default 5_000 */
  readonly maxProbeMs?: number;
  /** Told when the service is given up, and when it answers again. Must not throw. */
  readonly onChange: (isUp: boolean) => void;
}

/** A request that may be sent. */
export interface Attempt {
  /** Whether it tries a service that is down: no other is sent until it has ended. */
  readonly isProbe: boolean;
  /** What became of it; `undefined`: it did not come to the service. Only the first call counts. */
  end(isAnswered: boolean | undefined): void;
}

/** Failures in a row after which a service is no longer asked. */
const maxFailures = 5;
/** Until the first request that tries whether it is back, in milliseconds; each later one waits twice as long. */
const firstProbeMs = 250;

/**
 * The way to a service that may be down: a service that fails is no longer asked except for a probe now and then, one at
 * a time.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #pending = 0;
  #failures = 0;
  #probeMs = firstProbeMs;
  #probeAtMs = 0;
  #isProbing = false;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Whether the service is asked; `false` while only probes are sent. */
  get isUp(): boolean {
    return this.#failures < maxFailures;
  }

  /** Never rejects: `undefined` when the service was not asked, failed, or did not answer within `limitMs`. */
  async run<T>(limitMs: number, send: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    const { clock, maxPending = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#pending >= maxPending) return undefined;
    const attempt = this.begin();
    if (attempt === undefined) return undefined;
    this.#pending += 1;
    try {
      const work = call(send).finally(() => {
        this.#pending -= 1;
      });
      const answer = await within(clock, limitMs, work, () => new Error("No answer in time."));
      attempt.end(true);
      return { answer };
    } catch {
      attempt.end(false);
      return undefined;
    }
  }

  /** `undefined` when the service is not to be asked now. An attempt that was begun has to be ended. */
  begin(): Attempt | undefined {
    const isProbe = !this.isUp;
    if (isProbe && !this.#mayProbe()) return undefined;
    if (isProbe) this.#isProbing = true;
    let isOver = false;
    return {
      isProbe,
      end: (isAnswered) => {
        if (isOver) return;
        isOver = true;
        if (isProbe) this.#isProbing = false;
        if (isAnswered === true) this.noteAnswer();
        if (isAnswered === false) this.#noteFailure(isProbe);
      },
    };
  }

  /** The service has answered somebody. */
  noteAnswer(): void {
    const wasUp = this.isUp;
    this.#failures = 0;
    this.#probeMs = firstProbeMs;
    if (!wasUp) this.#options.onChange(true);
  }

  /** The service has failed somebody who did not ask here. */
  noteFailure(): void {
    this.#noteFailure(false);
  }

  /** The service is known to be out of reach: it is asked no more but to try it, until it answers. */
  giveUp(): void {
    if (!this.isUp) return;
    this.#failures = maxFailures - 1;
    this.#noteFailure(false);
  }

  #mayProbe(): boolean {
    return !this.#isProbing && this.#options.clock.monotonicMs() >= this.#probeAtMs;
  }

  /** What was under way when the service was given up says nothing new, and puts no probe off. */
  #noteFailure(isProbe: boolean): void {
    const { clock, maxProbeMs = 5_000, onChange } = this.#options;
    if (!this.isUp && !isProbe) return;
    if (this.isUp) {
      this.#failures += 1;
      if (this.isUp) return;
      onChange(false);
    }
    this.#probeAtMs = clock.monotonicMs() + this.#probeMs;
    this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);
  }
}

/** What throws where it should reject is caught as well. */
async function call<T>(send: () => Promise<T>): Promise<T> {
  return await send();
}
