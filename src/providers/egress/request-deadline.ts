import { AsyncLocalStorage } from "node:async_hooks";

/** How long a request may take until its answer begins, all of an SDK's retries included. */
export class RequestDeadline {
  readonly #begunAtMs: number = performance.now();
  #limitMs: number;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get limitMs(): number {
    return this.#limitMs;
  }

  /** Negative once it has ended. */
  leftMs(): number {
    return this.#begunAtMs + this.#limitMs - performance.now();
  }

  /** A request's own time-out may be shorter than the client's, never longer. */
  lowerTo(limitMs: number): void {
    this.#limitMs = Math.min(this.#limitMs, limitMs);
  }
}

/** The deadline of the request that is under way; absent for SDKs that do not retry. */
export const requestDeadline: AsyncLocalStorage<RequestDeadline> = new AsyncLocalStorage();
