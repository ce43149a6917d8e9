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
  /** How far the wall clock was set on; negative: back. */
  skewMs = 0;
  /** How long the machine was suspended in all: its monotonic clock stood still. */
  #suspendedMs = 0;
  #suspendedSinceMs: number | undefined;
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #timers = new Set<Waiting>();

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  monotonicMs(): number {
    return (this.#suspendedSinceMs ?? this.#time.nowMs) - this.#suspendedMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#time.nowMs + this.skewMs;
  }

  random(): number {
    return this.#random();
  }

  schedule(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.monotonicMs() + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** The machine stands still, its monotonic clock included, until it is called again. */
  suspend(): void {
    if (this.#suspendedSinceMs === undefined) {
      this.#suspendedSinceMs = this.#time.nowMs;
      this.isStopped = true;
      return;
    }
    this.#suspendedMs += this.#time.nowMs - this.#suspendedSinceMs;
    this.#suspendedSinceMs = undefined;
    this.isStopped = false;
  }

  /** Goes on, whatever made it stand still. */
  resume(): void {
    if (this.#suspendedSinceMs !== undefined) this.suspend();
    this.isStopped = false;
  }

  /** Fires what is due, unless the process is stopped. Returns `true` if anything was. */
  fire(): boolean {
    if (this.isStopped) return false;
    const nowMs = this.monotonicMs();
    const due = [...this.#timers].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.run();
    }
    return due.length > 0;
  }
}

/**
 * Lets everything run that waits for nothing but promises: a tick comes when no promise is left to go on. A turn of the
 * event loop would do as well, and costs ten times as much.
 */
export async function drain(): Promise<void> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
