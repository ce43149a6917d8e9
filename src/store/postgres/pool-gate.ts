import { callHook } from "../../call-hook.ts";
import { type Attempt, CircuitBreaker } from "../../circuit-breaker.ts";
import { systemClock } from "../../clock.ts";
import type { ByokError } from "../../errors.ts";
import { readCode, storeUnavailable } from "../store-unavailable.ts";
import { listenToPool } from "./pool-listeners.ts";
import {
  askForConnection,
  type PostgresPool,
  type PostgresPoolClient,
  type TakeConnection,
} from "./postgres-client.ts";

/** What an operator should know of a pool's connections. Never holds a value or a driver's text. */
export type PostgresStoreEvent =
  /** The server or the network ended an idle connection. The pool opens another when it is needed. */
  | { readonly type: "connection_lost"; readonly atMs: number; readonly code: string }
  /** New connections cannot be opened; one attempt at a time is made now and then, and calls that need one fail at once. */
  | { readonly type: "connecting_failed"; readonly atMs: number; readonly code: string }
  /** A connection was opened again. */
  | { readonly type: "connecting_recovered"; readonly atMs: number };

export interface PoolGateOptions {
  /** The longest that one attempt to connect keeps others from being made. */
  readonly timeoutMs: number;
  readonly onEvent?: ((event: PostgresStoreEvent) => unknown) | undefined;
}

/** Calls that may wait for a connection at once. */
const maxWaiting = 200;
/** The longest between two attempts to connect while none succeeds, in milliseconds. */
const maxProbeMs = 2_000;

/**
 * A pool that listens for its own trouble, and does not spread it: while connections cannot be opened, attempts are few,
 * and calls never gather in its queue without end. Connections that are open serve on meanwhile.
 */
export class PoolGate implements PostgresPool {
  readonly #pool: PostgresPool;
  readonly #options: PoolGateOptions;
  readonly #breaker: CircuitBreaker;
  readonly #stopListening: () => void;
  #waiting = 0;
  #code = "";

  constructor(pool: PostgresPool, options: PoolGateOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#breaker = new CircuitBreaker({
      clock: systemClock,
      maxProbeMs,
      onChange: (isUp) => {
        const atMs = Date.now();
        this.#tell(
          isUp ? { type: "connecting_recovered", atMs } : { type: "connecting_failed", atMs, code: this.#code },
        );
      },
    });
    this.#stopListening = listenToPool(pool, {
      error: (error) => this.#tell({ type: "connection_lost", atMs: Date.now(), code: readCode(error) }),
      connect: () => this.#breaker.noteAnswer(),
    });
  }

  connect(take: TakeConnection): void {
    const { isAtHand, hasRoom } = this.#look();
    const opensOne = !isAtHand && hasRoom !== false;
    const isCrowded = this.#waiting >= maxWaiting && hasRoom !== true;
    const attempt = opensOne && !isCrowded ? this.#breaker.begin() : undefined;
    if (isCrowded || (opensOne && attempt === undefined)) {
      take(isCrowded ? tooManyWaiting() : cannotConnect(this.#code));
      return;
    }
    const timer = attempt?.isProbe ? setTimeout(() => attempt.end(false), this.#options.timeoutMs).unref() : undefined;
    this.#waiting += 1;
    askForConnection(this.#pool, (error, client) => {
      this.#waiting -= 1;
      clearTimeout(timer);
      this.#note(attempt, error, client);
      take(isBusy(error) ? noPlaceFree() : error, client);
    });
  }

  /** Stops listening. The pool stays the caller's. */
  close(): void {
    this.#stopListening();
  }

  /** `hasRoom`: whether the pool would open a connection rather than wait for one; `undefined` where it does not say. */
  #look(): { readonly isAtHand: boolean; readonly hasRoom: boolean | undefined } {
    const { idleCount = 0, waitingCount = 0, totalCount, options } = this.#pool;
    const max = options?.max;
    const hasRoom = totalCount === undefined || max === undefined ? undefined : totalCount < max;
    return { isAtHand: idleCount > waitingCount, hasRoom };
  }

  /**
   * A wait for a place in a pool that is in use says nothing of the server, and no more does a connection that was open
   * already: a pool like that of `pg` tells of those that are new.
   */
  #note(attempt: Attempt | undefined, error: unknown, client: PostgresPoolClient | undefined): void {
    const hasFailed = client === undefined && !isBusy(error);
    if (hasFailed) this.#code = readCode(error);
    if (attempt === undefined && hasFailed) this.#breaker.noteFailure();
    const { on, totalCount } = this.#pool;
    const isNew = client !== undefined && (on === undefined || totalCount === undefined);
    attempt?.end(hasFailed ? false : isNew || undefined);
  }

  #tell(event: PostgresStoreEvent): void {
    callHook(this.#options.onEvent, event);
  }
}

/** What `pg` says when its `connectionTimeoutMillis` are over in the queue, and only then. */
const noPlaceInTime = "timeout exceeded when trying to connect";

function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message === noPlaceInTime;
}

const freePlaces = "Find out what holds the pool's connections, or raise its `max`.";

function noPlaceFree(): ByokError {
  return storeUnavailable("had no connection free in time", freePlaces);
}

function tooManyWaiting(): ByokError {
  return storeUnavailable(`has ${maxWaiting} calls that wait for a connection`, freePlaces);
}

function cannotConnect(code: string): ByokError {
  const next = "It is tried again every two seconds. Check that the server is up and takes more connections.";
  return storeUnavailable(`cannot be connected to (${code})`, next);
}
