import { AsyncLocalStorage } from "node:async_hooks";

/** How long a request may take until its answer begins, all of an SDK's retries included. */
export class RetryBudget {
  readonly #begunAtMs: number = performance.now();
  #limitMs: number;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get limitMs(): number {
    return this.#limitMs;
  }

  /** Negative once the budget has ended. */
  leftMs(): number {
    return this.#begunAtMs + this.#limitMs - performance.now();
  }

  /** A request's own time-out may be shorter than the client's, never longer. */
  lowerTo(limitMs: number): void {
    this.#limitMs = Math.min(this.#limitMs, limitMs);
  }
}

/** The budget of the request that is under way; absent for SDKs that do not retry. */
export const retryBudget: AsyncLocalStorage<RetryBudget> = new AsyncLocalStorage();
