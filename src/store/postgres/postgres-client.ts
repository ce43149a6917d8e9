import { isTooSlow, tooSlow } from "../store-unavailable.ts";
import { cancelBackend } from "./cancel-backend.ts";
import { toPostgresError } from "./postgres-failure.ts";

/**
 * The part of a `pg` pool that is used. `new pg.Pool()` fits as it is; so does a pool of your own whose `connect()`
 * ignores the callback and returns a promise. That hands a client out a moment late, so listen for its `error` yourself.
 * A pool that says how many connections it has goes on serving with those while no other can be opened.
 */
export interface PostgresPool {
  connect(take: TakeConnection): unknown;
  on?(event: "error" | "connect", listener: (given: unknown) => void): unknown;
  removeListener?(event: "error" | "connect", listener: (given: unknown) => void): unknown;
  readonly totalCount?: number;
  readonly idleCount?: number;
  readonly waitingCount?: number;
  readonly options?: {
    readonly max?: number | undefined;
    readonly connectionTimeoutMillis?: number | undefined;
    readonly idleTimeoutMillis?: number | null | undefined;
    readonly maxLifetimeSeconds?: number | undefined;
  };
}

/** Called once, with a connection or with what kept it from being had. */
export type TakeConnection = (error: Error | undefined, client?: PostgresPoolClient) => void;

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
  /** How the values of rows are read; absent: as the driver is set. */
  readonly types?: { getTypeParser(): (text: string) => unknown };
}

/** How long a backend that was told to give up may take to do so, in milliseconds. After that its connection is dead. */
const reclaimMs = 5_000;

/**
 * Runs `work` on a connection of its own, within `timeoutMs`, the wait for the connection included. A connection on
 * which anything failed is closed. One that is still at work when the time is up keeps its place in the pool until its
 * backend is done, which is told to give up: however many calls time out, the server never has more backends of a pool
 * than the pool has places.
 */
export async function onConnection<T>(
  pool: PostgresPool,
  timeoutMs: number,
  work: (client: PostgresPoolClient) => Promise<T>,
): Promise<T> {
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => {});
  const timer = setTimeout(() => expired.reject(tooSlow(timeoutMs)), timeoutMs);
  const connecting = acquire(pool);
  let client: PostgresPoolClient | undefined;
  let working: Promise<T> | undefined;
  try {
    client = await Promise.race([connecting, expired.promise]);
    working = work(client);
    const result = await Promise.race([working, expired.promise]);
    giveBack(client);
    return result;
  } catch (error) {
    if (client === undefined) connecting.then(giveBack).catch(ignore);
    else if (working !== undefined && isTooSlow(error)) reclaim(client, working).catch(ignore);
    else client.release(true);
    throw toPostgresError(error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for what a client's backend is at, which is told to give up, and gives the connection back. It waits for the
 * request to give up as well: one that is still on its way would meet the next call's statement.
 */
async function reclaim(client: PostgresPoolClient, working: Promise<unknown>): Promise<void> {
  const isIdle = Promise.all([working.catch(ignore), cancelBackend(client)]);
  const isDone = isIdle.then(() => client.query({ text: "ROLLBACK" }));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("The connection is dead.")), reclaimMs);
  timer.unref();
  try {
    await Promise.race([isDone, late.promise]);
    giveBack(client);
  } catch {
    isDone.catch(ignore);
    client.release(true);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that dies while it is checked out emits `error`, which would end the process. */
const ignore = (): void => {};

function giveBack(client: PostgresPoolClient): void {
  client.removeListener("error", ignore);
  client.release();
}

/** A connection with a listener from the first instant on. */
function acquire(pool: PostgresPool): Promise<PostgresPoolClient> {
  return new Promise((resolve, reject) => {
    askForConnection(pool, (error, client) => {
      if (client === undefined) return reject(error);
      client.on("error", ignore);
      resolve(client);
    });
  });
}

/**
 * Asks a pool in a way that leaves no gap: `pg` calls back in the turn in which a connection has come. A promise hands
 * it out a microtask later, in which the connection's error would have no listener and end the process.
 */
export function askForConnection(pool: PostgresPool, take: TakeConnection): void {
  let isTaken = false;
  const takeOnce: TakeConnection = (error, client) => {
    if (isTaken) return;
    isTaken = true;
    take(error, client);
  };
  try {
    const returned = pool.connect(takeOnce);
    if (returned instanceof Promise)
      returned.then((client) => takeOnce(undefined, client as PostgresPoolClient), takeOnce);
  } catch (error) {
    // A pool that is given a malformed URL throws where it should reject.
    takeOnce(error as Error);
  }
}
