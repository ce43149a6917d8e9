import type { ProcessClock } from "./virtual-time.ts";

/** A request between its sending and its reply. What it does at the server happens in between, at once. */
interface Request {
  readonly server: "database" | "redis" | "keyring" | "provider";
  readonly clock: ProcessClock;
  readonly execute: () => unknown;
  readonly deliver: (outcome: Outcome) => void;
  outcome: Outcome | undefined;
}

type Outcome = { readonly answer: unknown } | { readonly failure: unknown };

/** Holds every request twice: until the schedule lets the server have it, and until it lets the reply through. */
export class Network {
  readonly down = { database: false, redis: false, keyring: false, provider: false };
  readonly #requests: Request[] = [];
  readonly #failure: () => unknown;

  constructor(failure: () => unknown) {
    this.#failure = failure;
  }

  send<T>(server: Request["server"], clock: ProcessClock, execute: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deliver = (outcome: Outcome): void => {
        if ("failure" in outcome) reject(outcome.failure);
        else resolve(outcome.answer as T);
      };
      this.#requests.push({ server, clock, execute, deliver, outcome: undefined });
    });
  }

  get size(): number {
    return this.#requests.length;
  }

  /** Moves one request on: to its server, or back to its sender. A stopped process takes no reply. */
  step(choice: number): void {
    const request = this.#requests[choice % Math.max(1, this.#requests.length)];
    if (request === undefined) return;
    if (request.outcome === undefined) request.outcome = this.#executed(request);
    else if (!request.clock.isStopped) {
      this.#requests.splice(this.#requests.indexOf(request), 1);
      request.deliver(request.outcome);
    }
  }

  /** Cuts the connection of one request: its sender does not learn whether the server has had it. */
  cut(choice: number): void {
    const request = this.#requests[choice % Math.max(1, this.#requests.length)];
    if (request === undefined) return;
    if (Math.floor(choice / 7) % 2 === 0) request.outcome ??= this.#executed(request);
    this.#requests.splice(this.#requests.indexOf(request), 1);
    request.deliver({ failure: this.#failure() });
  }

  #executed({ server, execute }: Request): Outcome {
    if (this.down[server]) return { failure: this.#failure() };
    try {
      return { answer: execute() };
    } catch (failure) {
      return { failure };
    }
  }
}
