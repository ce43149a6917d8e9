import { vi } from "vitest";

/** Ends when a check passes, however busy the machine is: what never comes true fails by the limit, nothing else does. */
export function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}
