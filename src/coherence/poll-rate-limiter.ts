import type { Clock, Timer } from "../clock.ts";

/** Polls that notices may cause at once, and per second after that: forged notices cost no more. */
const burst = 5;
const perSecond = 10;

/** Runs `poll` when it is asked to, as often as its bucket allows. What was asked for meanwhile is one more run. */
export class PollRateLimiter {
  readonly #clock: Clock;
  readonly #poll: () => Promise<void>;
  #tokens: number = burst;
  #filledAtMs: number;
  #timer: Timer | undefined;
  #isRunning = false;
  #isAskedAgain = false;
  #isClosed = false;

  constructor(clock: Clock, poll: () => Promise<void>) {
    this.#clock = clock;
    this.#poll = poll;
    this.#filledAtMs = clock.monotonicMs();
  }

  ask(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    if (this.#isRunning) this.#isAskedAgain = true;
    else if (this.#take()) void this.#run();
    else this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) * perSecond) / 1_000);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #wait(): void {
    const delayMs = Math.ceil(((1 - this.#tokens) * 1_000) / perSecond);
    const again = (): void => {
      this.#timer = undefined;
      this.ask();
    };
    this.#timer = this.#clock.schedule(delayMs, again, "background");
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await this.#poll().catch(() => {});
    this.#isRunning = false;
    if (!this.#isAskedAgain) return;
    this.#isAskedAgain = false;
    this.ask();
  }
}
