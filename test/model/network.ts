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

/** `log`: the database, asked for its change log. */
export type Server = "database" | "log" | "redis" | "keyring" | "provider";

/** How often a request of a server is passed over while others move. */
export type Delays = Partial<Readonly<Record<Server, number>>>;

type Outcome = { readonly answer: unknown } | { readonly failure: unknown };

/** Holds every request twice: until the schedule lets the server have it, and until it lets the reply through. */
export class Network {
  readonly down = { database: false, log: false, redis: false, keyring: false, provider: false };
  /** How often a request is passed over at first. */
  readonly #heldFor: Delays;
  readonly #requests: Request[] = [];
  /** Which servers a process does not reach. */
  readonly #partitions = new Map<ProcessClock, Set<Server>>();
  readonly #failure: () => unknown;
  #isMended = false;

  constructor(failure: () => unknown, heldFor: Delays = {}) {
    this.#heldFor = heldFor;
    this.#failure = failure;
  }

  send<T>(server: Server, clock: ProcessClock, execute: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deliver = (outcome: Outcome): void => {
        if ("failure" in outcome) reject(outcome.failure);
        else resolve(outcome.answer as T);
      };
      const heldFor = this.#isMended ? 0 : (this.#heldFor[server] ?? 0);
      this.#requests.push({ server, clock, execute, deliver, outcome: undefined, heldFor });
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
    else this.#move(request);
  }

  /** The same, and passes over what is slow. Returns `false` where nothing else is on its way. */
  stepPastSlow(choice: number): boolean {
    const moving = this.#requests.filter(
      ({ heldFor, outcome, clock }) => heldFor === 0 && (outcome === undefined || !clock.isStopped),
    );
    const request = moving[choice % Math.max(1, moving.length)];
    if (request !== undefined) this.#move(request);
    return request !== undefined;
  }

  /** Makes one request slow: many others overtake it. */
  hold(choice: number): boolean {
    const request = this.#requests[choice % Math.max(1, this.#requests.length)];
    if (request === undefined) return false;
    request.heldFor = 3 + (choice % 40);
    return true;
  }

  /** A server has its request at once, and what it answers is slow. Returns `false` where nobody asks it. */
  answerLate(server: Server, choice: number): boolean {
    const asking = this.#requests.filter((one) => one.server === server && one.outcome === undefined);
    const request = asking[choice % Math.max(1, asking.length)];
    if (request === undefined) return false;
    request.outcome = this.#executed(request);
    request.heldFor = 2 + (choice % 13);
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
    for (const server of Object.keys(this.down) as Server[]) this.down[server] = false;
    this.#partitions.clear();
    this.#isMended = true;
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

  #move(request: Request): void {
    if (request.outcome === undefined) request.outcome = this.#executed(request);
    else if (!request.clock.isStopped) {
      this.#requests.splice(this.#requests.indexOf(request), 1);
      request.deliver(request.outcome);
    }
  }

  #executed({ server, clock, execute }: Request): Outcome {
    const needed: readonly Server[] = server === "log" ? ["database", "log"] : [server];
    if (needed.some((one) => this.down[one] || this.#partitions.get(clock)?.has(one)))
      return { failure: this.#failure() };
    try {
      return { answer: execute() };
    } catch (failure) {
      return { failure };
    }
  }
}
