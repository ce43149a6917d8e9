import type { PostgresPool } from "./postgres-client.ts";

/** What is heard of a pool. */
export interface PoolListeners {
  /** An idle connection ended. */
  error(error: unknown): void;
  /** A connection was opened. */
  connect(): void;
}

interface Heard {
  readonly listeners: Set<PoolListeners>;
  stop(): void;
}

const pools = new WeakMap<PostgresPool, Heard>();

/**
 * Listens to a pool, whose `error` would otherwise end the process, until the returned function is called. Stores that
 * share a pool share one listener of it: there may be many.
 */
export function listenToPool(pool: PostgresPool, listeners: PoolListeners): () => void {
  const heard = pools.get(pool) ?? startHearing(pool);
  pools.set(pool, heard);
  heard.listeners.add(listeners);
  return () => {
    heard.listeners.delete(listeners);
    if (heard.listeners.size > 0 || pools.get(pool) !== heard) return;
    heard.stop();
    pools.delete(pool);
  };
}

function startHearing(pool: PostgresPool): Heard {
  const listeners = new Set<PoolListeners>();
  const onError = (error: unknown): void => {
    for (const listener of listeners) listener.error(error);
  };
  const onConnect = (): void => {
    for (const listener of listeners) listener.connect();
  };
  pool.on?.("error", onError);
  pool.on?.("connect", onConnect);
  const stop = (): void => {
    pool.removeListener?.("error", onError);
    pool.removeListener?.("connect", onConnect);
  };
  return { listeners, stop };
}
