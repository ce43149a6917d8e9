/**
 * Time, timers and chance, as the resolver and the cache see them. All of both goes through one `Clock`, so that a test
 * can run thousands of schedules deterministically. Internal: a user never passes one.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean something. May stand still while the machine is suspended. */
  monotonicMs(): number;
  /** Wall-clock milliseconds since the epoch. Runs on while the machine is suspended; may jump either way. */
  wallMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Calls `run` once after `delayMs`. A `background` timer does not keep the process alive. */
  schedule(delayMs: number, run: () => void, kind: "foreground" | "background"): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  schedule(delayMs, run, kind) {
    const timeout = setTimeout(run, delayMs);
    if (kind === "background") timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
