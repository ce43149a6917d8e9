import type { Clock, Timer } from "../clock.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Polls at once after a quiet time. */
const burst = 5;
/** Polls a second that show nothing that matters here: forged notices cost no more. */
const maxVainPerSecond = 10;
/** Polls a second, whatever they show. */
const maxPollsPerSecond = 50;
/** From the beginning of one poll to that of the next, in milliseconds, and in times of how long the last one took. */
const minGapMs = 5;
const minGapDurations = 4;

export interface PollRateLimiterOptions {
  readonly clock: Clock;
  /** Reads the log. Resolves to whether that has shown a change that matters here. */
  readonly poll: () => Promise<boolean>;
  readonly hasReadUpTo: (seq: number) => boolean;
}

/**
 * Runs `poll` when it is asked to, as often as it may. What was asked for meanwhile is one more run, unless the log has
 * shown it by then. A poll that shows a change that matters is given back: what matters is heard of at once, and those
 * who forge notices gain nothing by the changes of others.
 */
export class PollRateLimiter {
  readonly #options: PollRateLimiterOptions;
  readonly #all: TokenBucket;
  readonly #vain: TokenBucket;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** The newest change that was asked for since the last run began. */
  #askedFor: number | undefined;
  #timer: Timer | undefined;
  #isRunning = false;
  #isClosed = false;

  constructor(options: PollRateLimiterOptions) {
    this.#options = options;
    this.#all = new TokenBucket(options.clock, burst, maxPollsPerSecond);
    this.#vain = new TokenBucket(options.clock, burst, maxVainPerSecond);
  }

  /** Asks for the change of that number; `Infinity` where it is not known. */
  ask(seq: number): void {
    this.#askedFor = Math.max(seq, this.#askedFor ?? seq);
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #next(): void {
    if (this.#isClosed || this.#isRunning || this.#timer !== undefined) return;
    if (this.#askedFor === undefined || this.#options.hasReadUpTo(this.#askedFor)) return;
    const delayMs = this.#delayMs();
    if (delayMs === 0) return void this.#run();
    const again = (): void => {
      this.#timer = undefined;
      this.#next();
    };
    this.#timer = this.#options.clock.schedule(delayMs, again, "background");
  }

  #delayMs(): number {
    const gapMs = this.#notBeforeMs - this.#options.clock.monotonicMs();
    return Math.ceil(Math.max(0, gapMs, this.#all.waitMs(), this.#vain.waitMs()));
  }

  async #run(): Promise<void> {
    const { clock, poll } = this.#options;
    const beganAtMs = clock.monotonicMs();
    this.#isRunning = true;
    this.#askedFor = undefined;
    this.#all.take();
    this.#vain.take();
    this.#notBeforeMs = beganAtMs + minGapMs;
    try {
      if (await poll()) this.#vain.giveBack();
      // One that failed says nothing of how long the database takes.
      const tookMs = clock.monotonicMs() - beganAtMs;
      this.#notBeforeMs = beganAtMs + Math.max(minGapMs, minGapDurations * tookMs);
    } catch {}
    this.#isRunning = false;
    this.#next();
  }
}
