import type { Clock } from "../clock.ts";

/** One instant on both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function readMoment(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/**
 * How long ago a lease of `leaseMs` that began at `began` ended; negative while it lasts.
 *
 * The stricter clock decides, because the monotonic one may stand still while the machine is suspended. A wall clock
 * that reads less than it did at the beginning was set back, and then nothing is known: the lease is over.
 */
export function overdueMs(began: Moment, leaseMs: number, now: Moment): number {
  const monotonic = now.monotonicMs - began.monotonicMs - leaseMs;
  if (now.wallMs < began.wallMs) return Math.max(monotonic, 0);
  return Math.max(monotonic, now.wallMs - began.wallMs - leaseMs);
}

/** The one that began later; leases only grow. */
export function laterOf<T extends Moment | undefined>(a: T, b: Moment | undefined): Moment | T {
  return b !== undefined && (a === undefined || b.monotonicMs > a.monotonicMs) ? b : a;
}
