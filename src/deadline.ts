import type { Clock, Timer } from "./clock.ts";
import { copyOwn } from "./own-property.ts";

/** Inherits nothing: Node takes a `signal` that it finds there. */
const once = copyOwn({ once: true });

/** The longest that is waited outside of a deadline, in milliseconds. */
const maxOutsideMs = 60_000;

/** What ends a call early: its deadline, the caller's signal, or the resolver that is closed. */
export class Deadline {
  readonly #clock: Clock;
  #endsAtMs: number;
  readonly #signals: readonly AbortSignal[];
  readonly #expiry: () => Error;

  /** `expiry` makes the error that a call past its deadline rejects with; an aborted signal rejects with its reason. */
  constructor(clock: Clock, afterMs: number, signals: readonly AbortSignal[], expiry: () => Error) {
    this.#clock = clock;
    this.#endsAtMs = clock.monotonicMs() + afterMs;
    this.#signals = signals;
    this.#expiry = expiry;
  }

  /** Milliseconds left; 0 once it has ended. */
  leftMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.monotonicMs());
  }

  throwIfEnded(): void {
    for (const signal of this.#signals) signal.throwIfAborted();
    if (this.#clock.monotonicMs() >= this.#endsAtMs) throw this.#expiry();
  }

  /** Settles as `work` does, or rejects when the call ends first. `work` runs on: it may have other waiters. */
  race<T>(work: Promise<T>): Promise<T> {
    // By hand: every cold call comes by here more than once, and Promise.race() takes longer.
    return new Promise<T>((resolve, reject) => {
      const stops: (() => void)[] = [];
      const stop = (): void => {
        for (const end of stops) end();
      };
      const fail = (reason: unknown): void => {
        stop();
        reject(reason);
      };
      work.then((value) => {
        stop();
        resolve(value);
      }, fail);
      this.throwIfEnded();
      const leftMs = this.#endsAtMs - this.#clock.monotonicMs();
      const timer = this.#clock.schedule(leftMs, () => fail(this.#expiry()), "foreground");
      stops.push(() => timer.cancel());
      for (const signal of this.#signals) {
        const listener = (): void => fail(signal.reason);
        signal.addEventListener("abort", listener, once);
        stops.push(() => signal.removeEventListener("abort", listener));
      }
    });
  }

  /** Waits for what is no part of the call, such as an import: the time that it takes does not count. */
  async outside<T>(work: Promise<T>): Promise<T> {
    const beganAtMs = this.#clock.monotonicMs();
    try {
      return await new Deadline(this.#clock, maxOutsideMs, this.#signals, this.#expiry).race(work);
    } finally {
      this.#endsAtMs += this.#clock.monotonicMs() - beganAtMs;
    }
  }

  /** Resolves after `delayMs`, or rejects when the call ends first. */
  async pause(delayMs: number): Promise<void> {
    let timer: Timer | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = this.#clock.schedule(delayMs, resolve, "foreground");
    });
    try {
      await this.race(passed);
    } finally {
      timer?.cancel();
    }
  }
}

/** Settles as `work` does, or rejects with `expiry()` after `limitMs`. For reads that belong to no caller. */
export function within<T>(clock: Clock, limitMs: number, work: Promise<T>, expiry: () => Error): Promise<T> {
  return new Deadline(clock, limitMs, [], expiry).race(work);
}
