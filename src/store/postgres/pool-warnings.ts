import type { PostgresPool } from "./postgres-client.ts";

/** What keeps a pool from coming back after a fault of the network, with what to set instead. */
export function findPoolWarnings({ options }: PostgresPool): string[] {
  // A pool of another kind has no options of this kind.
  if (options?.max === undefined) return [];
  const warnings: string[] = [];
  if (!options.connectionTimeoutMillis) {
    warnings.push(
      "The Postgres pool waits without limit for a connection that a silent network never opens, and keeps its place for it. Set connectionTimeoutMillis.",
    );
  }
  if (options.idleTimeoutMillis === 0 && !options.maxLifetimeSeconds) {
    warnings.push(
      "The Postgres pool never closes an idle connection, so that one that the network has forgotten costs a call its time. Set idleTimeoutMillis.",
    );
  }
  return warnings;
}
