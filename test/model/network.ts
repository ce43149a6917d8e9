import type { ProcessClock } from "./virtual-time.ts";

/** A request between its sending and its reply. What it does at the server happens in between, at once. */
interface Request {
  readonly server: Server;
  readonly clock: ProcessClock;
  readonly execute: () => unknown;
  readonly deliver: (outcome: Outcome) => void;
  outcome: Outcome | undefined;
  /** How often it is still passed over. */
  heldFor: number;
}

export type Server = "database" | "redis" | "keyring" | "provider";

type Outcome = { readonly answer: unknown } | { readonly failure: unknown };

/** Holds every request twice: until the schedule lets the server have it, and until it lets the reply through. */
export class Network {
  readonly down = { database: false, redis: false, keyring: false, provider: false };
  readonly #requests: Request[] = [];
  /** Which servers a process does not reach. */
  readonly #partitions = new Map<ProcessClock, Set<Server>>();
  readonly #failure: () => unknown;

  constructor(failure: () => unknown) {
    this.#failure = failure;
  }

  send<T>(server: Server, clock: ProcessClock, execute: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deliver = (outcome: Outcome): void => {
        if ("failure" in outcome) reject(outcome.failure);
        else resolve(outcome.answer as T);
      };
      this.#requests.push({ server, clock, execute, deliver, outcome: undefined, heldFor: 0 });
    });
  }

  get size(): number {
    return this.#requests.length;
  }

  /** Moves one request on: to its server, or back to its sender. A stopped process takes no reply. */
  step(choice: number): void {
    const request = this.#requests[choice % Math.max(1, this.#requests.length)];
    if (request === undefined) return;
    if (request.heldFor > 0) request.heldFor -= 1;
    else if (request.outcome === undefined) request.outcome = this.#executed(request);
    else if (!request.clock.isStopped) {
      this.#requests.splice(this.#requests.indexOf(request), 1);
      request.deliver(request.outcome);
    }
  }

  /** Makes one request slow: many others overtake it. */
  hold(choice: number): boolean {
    const request = this.#requests[choice % Math.max(1, this.#requests.length)];
    if (request === undefined) return false;
    request.heldFor = 3 + (choice % 40);
    return true;
  }

  /** Parts a process from a server, or brings them together again. */
  part(clock: ProcessClock, server: Server): void {
    const servers = this.#partitions.get(clock) ?? new Set();
    this.#partitions.set(clock, servers);
    if (!servers.delete(server)) servers.add(server);
  }

  /** Everything is reached again, nothing is slow, and processes that stand still for good wait for nothing. */
  mend(): void {
    for (const { clock } of this.#requests.filter((one) => one.clock.isStopped)) this.forget(clock);
    Object.assign(this.down, { database: false, redis: false, keyring: false, provider: false });
    this.#partitions.clear();
    for (const request of this.#requests) request.heldFor = 0;
  }

  /** Forgets what a process that is gone has sent: it reached its server, or did not. */
  forget(clock: ProcessClock): void {
    for (const request of this.#requests.filter((one) => one.clock === clock))
      this.#requests.splice(this.#requests.indexOf(request), 1);
  }

  /**
   * Cuts the connection of one request, of that process if one is named: its sender does not learn whether the server
   * has had it.
   */
  cut(choice: number, clock?: ProcessClock): boolean {
    const requests = this.#requests.filter(
      (one) => !one.clock.isStopped && (clock === undefined || one.clock === clock),
    );
    const request = requests[choice % Math.max(1, requests.length)];
    if (request === undefined) return false;
    if (Math.floor(choice / 7) % 2 === 0) request.outcome ??= this.#executed(request);
    this.#requests.splice(this.#requests.indexOf(request), 1);
    request.deliver({ failure: this.#failure() });
    return true;
  }

  #executed({ server, clock, execute }: Request): Outcome {
    if (this.down[server] || this.#partitions.get(clock)?.has(server)) return { failure: this.#failure() };
    try {
      return { answer: execute() };
    } catch (failure) {
      return { failure };
    }
  }
}
