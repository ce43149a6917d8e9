import type { KeyCache } from "../../src/shared-cache/key-cache.ts";

/** A shared cache that keeps nothing and tells nobody; `more` is what of it does something. */
export function idleCache(more: Partial<KeyCache> = {}): KeyCache {
  return {
    maxAgeMs: 60_000,
    timeoutMs: 50,
    get: async () => undefined,
    set: async () => {},
    invalidate: async () => {},
    subscribe: () => ({ close() {} }),
    warnings: () => [],
    ...more,
  };
}
