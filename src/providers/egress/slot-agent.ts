import { Agent, type AgentOptions, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import { AgentExchange, type ExchangeOptions } from "./agent-exchange.ts";
import type { Asked } from "./departure.ts";
import { limitOpening } from "./limit-opening.ts";

export interface SlotAgentOptions extends ExchangeOptions {
  /** The longest until an answer begins, the connection included, in milliseconds. */
  readonly requestTimeoutMs: number;
}

type Created = (error: Error | null, socket?: Duplex) => void;

/**
 * A Node agent whose every connection is one request: to the host of the key that serves, with that key put into the head in
 * the turn in which it is written. So the key is in no object, and a reconnect is decided anew. A handshake whose key is
 * refused is made again with what serves then; other requests are not, for their bodies are gone.
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
    new AgentExchange(this.#options, asked).open().then(
      (socket) => created(null, socket),
      (error: Error) => created(failures.place(error)),
    );
    return undefined;
  }
}

function toScheme(protocol: string, isUpgrade: boolean): string {
  const isSecure = protocol === "https:" || protocol === "wss:";
  if (isUpgrade) return isSecure ? "wss:" : "ws:";
  return isSecure ? "https:" : "http:";
}
