import type { Clock } from "../../src/clock.ts";

/** A clock that stands still until a test moves it. Timers fire in the order of their times. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  #wallOffsetMs = 1_700_000_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  random(): number {
    return 0.5;
  }

  schedule(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing what falls due, and lets what that started run as far as it can without more time. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }

  /** Moves both clocks without firing a timer: the process was stopped meanwhile. */
  pauseProcess(ms: number): void {
    this.#nowMs += ms;
  }

  /** Moves the wall clock alone: set by hand, or the machine was suspended while the monotonic clock stood still. */
  moveWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}

/** Lets everything run that needs no timer and no input. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
