import { Agent, type AgentOptions, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Aim } from "./aim.ts";
import type { EgressProxy } from "./egress-proxy.ts";
import type { KeySupply, ServingKey } from "./key-supply.ts";
import { limitOpening, type Opening } from "./limit-opening.ts";
import { openSocket } from "./open-socket.ts";
import type { RequestFailures } from "./request-failures.ts";
import type { RequestHead } from "./request-head.ts";
import type { HeaderRules } from "./request-headers.ts";
import { type WrittenHead, writeHead } from "./write-head.ts";

export interface SlotAgentOptions {
  readonly failures: RequestFailures;
  readonly supply: KeySupply;
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
  /** The longest until an answer begins, the connection included, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** `undefined`: connections go straight to their hosts. */
  readonly proxy: EgressProxy | undefined;
}

/** What a connection is made for, as Node hands it from a request to its agent. */
interface Asked {
  readonly url: string;
  readonly isUpgrade: boolean;
  readonly opening: Opening;
}

/** How often a head is decided anew because what serves is not known. */
const maxDecisions = 4;

type Created = (error: Error | null, socket?: Duplex) => void;

/**
 * A Node agent whose every connection is one request: to the host of the key that serves, with that key put into the head in
 * the turn in which it is written. So the key is in no object, and a reconnect is decided anew.
 */
export function createSlotAgent(options: SlotAgentOptions): Agent {
  return new SlotAgent(options);
}

class SlotAgent extends Agent {
  readonly #options: SlotAgentOptions;

  constructor(options: SlotAgentOptions) {
    super();
    this.#options = options;
    // One agent for `http:` and `https:`: what is asked for says nothing of what serves.
    Reflect.set(this, "protocol", undefined);
    // Set otherwise, Node would give a connection to the next request, whose head would not be written.
    const fixed = { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY, maxTotalSockets: Number.POSITIVE_INFINITY };
    for (const [name, value] of Object.entries(fixed))
      Object.defineProperty(this, name, { get: () => value, set() {} });
  }

  /** Called by Node for each request. Undocumented, and what every agent of npm's builds on. */
  addRequest(request: ClientRequest, options: AgentOptions & { readonly timeout?: number }): void {
    const { failures, requestTimeoutMs } = this.#options;
    const isUpgrade = request.getHeader("upgrade") !== undefined;
    const host = request.getHeader("host") ?? request.host;
    const limitMs = Math.min(options.timeout || requestTimeoutMs, requestTimeoutMs);
    const asked: Asked = {
      url: `${toScheme(request.protocol, isUpgrade)}//${String(host)}${request.path}`,
      isUpgrade,
      opening: limitOpening(request, limitMs, () => failures.timedOut(limitMs)),
    };
    const add: unknown = Reflect.get(Agent.prototype, "addRequest");
    (add as (request: ClientRequest, options: object) => void).call(this, request, { ...options, asked });
  }

  override createConnection(options: object, done?: (error: Error | null, socket: Duplex) => void): undefined {
    const { failures } = this.#options;
    const { asked } = options as { readonly asked: Asked };
    const created = done as Created;
    this.#connect(asked).then(
      (socket) => created(null, socket),
      (error: Error) => created(failures.place(error)),
    );
    return undefined;
  }

  async #connect(asked: Asked): Promise<Duplex> {
    const { supply, aim, proxy } = this.#options;
    const { url, isUpgrade, opening } = asked;
    const transport = isUpgrade ? "websocketUrl" : "baseUrl";
    const startedAtMs = performance.now();
    const serving = supply.peek() ?? (await supply.decide(opening.signal));
    const aimed = new URL(aim.at(url, serving, transport));
    const socket = await openSocket(aimed, { proxy, signal: opening.signal });
    let sent: ServingKey | undefined;
    const report = (status: number | null): void => {
      const durationMs = performance.now() - startedAtMs;
      if (sent !== undefined) supply.onRequest({ serving: sent, request: asked, status, durationMs });
      sent = undefined;
    };
    socket.once("close", () => report(null));
    const toHead = (head: RequestHead, now: ServingKey): WrittenHead => {
      const to = new URL(aim.at(url, now, transport));
      if (to.origin !== aimed.origin || socket.destroyed) throw this.#options.failures.moved();
      sent = now;
      const end = (why: Error): void => void socket.destroy(why);
      socket.once("close", supply.holdSocket(now, end));
      return { head: head.toString(to, this.#options.headerRules, now), key: now.key };
    };
    return writeHead(socket, {
      rewrite: (head) => this.#inPlace(() => this.#decide(asked, (now) => toHead(head, now))),
      onAnswer: (bytes) => {
        if (!isUpgrade) opening.answered();
        report(readStatus(bytes));
      },
    });
  }

  /** In this turn where what serves is known; else after a read, in the turn in which it ends. */
  #decide<T>(asked: Asked, use: (serving: ServingKey) => T): T | Promise<T> {
    const { supply } = this.#options;
    const now = supply.peek();
    return now === undefined || !supply.mayLeave(now, asked) ? this.#decideAnew(asked, use) : use(now);
  }

  /** What a read found may be outdated in the turn after it: what serves is asked for in the turn in which it is used. */
  async #decideAnew<T>(asked: Asked, use: (serving: ServingKey) => T): Promise<T> {
    const { supply } = this.#options;
    for (let decisions = 1; decisions <= maxDecisions; decisions += 1) {
      await supply.decide(asked.opening.signal);
      const now = supply.peek();
      if (now !== undefined && supply.mayLeave(now, asked)) return use(now);
    }
    throw this.#options.failures.moved();
  }

  #inPlace<T>(work: () => T | Promise<T>): T | Promise<T> {
    const rethrow = (error: unknown): never => {
      throw this.#options.failures.place(error as Error);
    };
    try {
      const result = work();
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  }
}

function toScheme(protocol: string, isUpgrade: boolean): string {
  const isSecure = protocol === "https:" || protocol === "wss:";
  if (isUpgrade) return isSecure ? "wss:" : "ws:";
  return isSecure ? "https:" : "http:";
}

function readStatus(bytes: Buffer): number | null {
  const status = /^HTTP\/1\.[01] (?<status>\d{3})/u.exec(bytes.toString("latin1", 0, 16))?.groups?.["status"];
  return status === undefined ? null : Number(status);
}
