import type { Clock, Timer } from "../../src/clock.ts";

interface Waiting {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that moves when the schedule says so. Every process has its own timers, which stand still while it is stopped. */
export class VirtualTime {
  nowMs = 1_000;

  process(random: () => number): ProcessClock {
    return new ProcessClock(this, random);
  }
}

/** One process's clock. */
export class ProcessClock implements Clock {
  isStopped = false;
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #timers = new Set<Waiting>();

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  monotonicMs(): number {
    return this.#time.nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#time.nowMs;
  }

  random(): number {
    return this.#random();
  }

  schedule(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#time.nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Fires what is due, unless the process is stopped. Returns `true` if anything was. */
  fire(): boolean {
    if (this.isStopped) return false;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.#time.nowMs).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.run();
    }
    return due.length > 0;
  }
}

/** Lets everything run that waits for nothing but promises. */
export async function drain(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
