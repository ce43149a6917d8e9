import { ByokError } from "../../errors.ts";
import { driverFailed, noSchema, storeUnavailable, tooSlow } from "../store-unavailable.ts";

/** The part of a `pg` pool that is used. `new pg.Pool()` fits as it is. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
}

export interface PostgresPoolClient {
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  /** With `true` the connection is closed instead of going back to the pool. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** A named statement is prepared once per connection. */
export interface PostgresQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/**
 * `undefined_table`, `undefined_column` and `invalid_schema_name`
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const missingSchema: ReadonlySet<string> = new Set(["42P01", "42703", "3F000"]);

/**
 * Runs `work` on a connection of its own, within `timeoutMs`, the wait for the connection included. A connection on
 * which anything failed or is still under way is closed, never reused.
 */
export async function onConnection<T>(
  pool: PostgresPool,
  timeoutMs: number,
  work: (client: PostgresPoolClient) => Promise<T>,
): Promise<T> {
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => {});
  const timer = setTimeout(() => expired.reject(tooSlow(timeoutMs)), timeoutMs);
  // A pool that is given a malformed URL throws where it should reject.
  const connecting = (async () => await pool.connect())();
  // A connection that dies while it is checked out emits `error`, which would end the process.
  const ignore = (): void => {};
  let client: PostgresPoolClient | undefined;
  let isHealthy = false;
  try {
    client = await Promise.race([connecting, expired.promise]);
    client.on("error", ignore);
    const result = await Promise.race([work(client), expired.promise]);
    isHealthy = true;
    return result;
  } catch (error) {
    if (client === undefined) connecting.then((late) => late.release(), ignore);
    throw toByokError(error);
  } finally {
    clearTimeout(timer);
    client?.removeListener("error", ignore);
    if (!isHealthy) client?.on("error", ignore);
    client?.release(!isHealthy);
  }
}

function toByokError(error: unknown): ByokError {
  if (error instanceof ByokError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (missingSchema.has(code)) return noSchema();
  if (code === "25006") return storeUnavailable("is read-only", "Connect to the primary, not to a replica.");
  return driverFailed(error);
}
