import type { Socket } from "node:net";
import type { Aim } from "./aim.ts";
import type { EgressProxy } from "./egress-proxy.ts";
import type { KeySupply, ServingKey } from "./key-supply.ts";
import type { Opening } from "./limit-opening.ts";
import { namesAccountState } from "./names-account-state.ts";
import { openSocket } from "./open-socket.ts";
import type { RequestFailures } from "./request-failures.ts";
import type { RequestHead } from "./request-head.ts";
import type { HeaderRules } from "./request-headers.ts";
import type { Vendor } from "./vendor.ts";

export interface DepartureOptions {
  readonly failures: RequestFailures;
  readonly supply: KeySupply;
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
  readonly vendor: Pick<Vendor, "accountState">;
  /** `undefined`: connections go straight to their hosts. */
  readonly proxy: EgressProxy | undefined;
}

/** What a connection is made for, as Node hands it from a request to its agent. */
export interface Asked {
  readonly url: string;
  readonly isUpgrade: boolean;
  readonly opening: Opening;
}

/** How often a head is decided anew because what serves is not known. */
const maxDecisions = 4;

/** One way to the host that serves a request: a connection, and the head that leaves on it with the key of that moment. */
export class Departure {
  readonly startedAtMs: number = performance.now();
  readonly #options: DepartureOptions;
  readonly #asked: Asked;
  /** Ends it; what it rejects with is its reason. */
  readonly #signal: AbortSignal;
  #aimed: URL | undefined;

  constructor(options: DepartureOptions, asked: Asked, signal: AbortSignal) {
    this.#options = options;
    this.#asked = asked;
    this.#signal = signal;
  }

  /** Connects to the host of `serving`, by default of what serves now. */
  async connect(serving?: ServingKey): Promise<Socket> {
    const { supply, proxy } = this.#options;
    this.#aimed = this.#toUrl(serving ?? supply.peek() ?? (await supply.decide(this.#signal)));
    return await openSocket(this.#aimed, { proxy, signal: this.#signal });
  }

  /**
   * Writes `head` to `socket` with the key that serves in that turn, and tells `onSent` of it. In this very turn where that is
   * known; else after a read.
   */
  send(head: RequestHead, socket: Socket, onSent: (serving: ServingKey) => void): void | Promise<void> {
    const { failures } = this.#options;
    const rethrow = (error: unknown): never => {
      throw failures.place(error as Error);
    };
    const write = (now: ServingKey): void => {
      const to = this.#toUrl(now);
      if (to.origin !== this.#aimed?.origin || socket.destroyed) throw failures.moved();
      onSent(now);
      socket.write(`${head.toString(to, this.#options.headerRules, now)}\r\n\r\n`, "latin1");
    };
    try {
      return this.#decide(write)?.catch(rethrow);
    } catch (error) {
      return rethrow(error);
    }
  }

  #toUrl(serving: ServingKey): URL {
    const { url, isUpgrade } = this.#asked;
    const { failures, vendor } = this.#options;
    const { standsInFor } = serving;
    if (standsInFor !== undefined && namesAccountState(vendor.accountState, { url })) {
      throw failures.bound(standsInFor);
    }
    return new URL(this.#options.aim.at(url, serving, isUpgrade ? "websocketUrl" : "baseUrl"));
  }

  #decide(write: (serving: ServingKey) => void): void | Promise<void> {
    const { supply } = this.#options;
    const now = supply.peek();
    return now === undefined || !supply.mayLeave(now, this.#asked) ? this.#decideAnew(write) : write(now);
  }

  /** What a read found may be outdated in the turn after it: what serves is asked for in the turn in which it is used. */
  async #decideAnew(write: (serving: ServingKey) => void): Promise<void> {
    const { supply, failures } = this.#options;
    for (let decisions = 1; decisions <= maxDecisions; decisions += 1) {
      await supply.decide(this.#signal);
      const now = supply.peek();
      if (now !== undefined && supply.mayLeave(now, this.#asked)) return write(now);
    }
    throw failures.moved();
  }
}
