import { Agent, type AgentOptions, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import { ByokError } from "../../errors.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Aim } from "./aim.ts";
import type { KeySupply } from "./key-supply.ts";
import { openSocket } from "./open-socket.ts";
import type { HeaderRules } from "./request-headers.ts";
import { writeHead } from "./write-head.ts";

export interface SlotAgentOptions {
  readonly provider: string;
  readonly supply: KeySupply;
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
  /** The longest until a connection is open, TLS included, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** What a connection is made for, as Node hands it from a request to its agent. */
interface Asked {
  readonly url: string;
  readonly transport: keyof Endpoint;
  readonly timeout?: number;
}

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
    super({ keepAlive: false });
    this.#options = options;
    // One agent for `http:` and `https:`: what is asked for says nothing of what serves.
    Reflect.set(this, "protocol", undefined);
  }

  /** Called by Node for each request. Undocumented, and what every agent of npm's builds on. */
  addRequest(request: ClientRequest, options: AgentOptions & { readonly timeout?: number }): void {
    const isUpgrade = request.getHeader("upgrade") !== undefined;
    const host = request.getHeader("host") ?? request.host;
    const asked: Asked = {
      url: `${toScheme(request.protocol, isUpgrade)}//${String(host)}${request.path}`,
      transport: isUpgrade ? "websocketUrl" : "baseUrl",
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    };
    const add: unknown = Reflect.get(Agent.prototype, "addRequest");
    (add as (request: ClientRequest, options: object) => void).call(this, request, { ...options, asked });
  }

  override createConnection(options: object, done?: (error: Error | null, socket: Duplex) => void): undefined {
    const { asked } = options as { readonly asked: Asked };
    const created = done as Created;
    this.#connect(asked).then((socket) => created(null, socket), created);
    return undefined;
  }

  async #connect({ url, transport, timeout }: Asked): Promise<Duplex> {
    const { supply, aim, headerRules, provider, requestTimeoutMs } = this.#options;
    const startedAtMs = performance.now();
    const serving = supply.peek() ?? (await supply.decide());
    const aimed = new URL(aim.at(url, serving, transport));
    const limitMs = Math.min(timeout ?? requestTimeoutMs, requestTimeoutMs);
    const socket = await openSocket(aimed, limitMs, () => tooSlow(provider, limitMs));
    return writeHead(socket, (head) => {
      const now = supply.peek();
      if (now === undefined) throw changed(provider);
      const to = new URL(aim.at(url, now, transport));
      if (to.origin !== aimed.origin) throw changed(provider);
      const durationMs = performance.now() - startedAtMs;
      supply.onRequest({ serving: now, status: null, durationMs });
      socket.once(
        "close",
        supply.holdSocket(now, (why) => void socket.destroy(why)),
      );
      return { head: head.toString(to, headerRules, now.key), key: now.key };
    });
  }
}

function toScheme(protocol: string, isUpgrade: boolean): string {
  const isSecure = protocol === "https:" || protocol === "wss:";
  if (isUpgrade) return isSecure ? "wss:" : "ws:";
  return isSecure ? "https:" : "http:";
}

function tooSlow(provider: string, limitMs: number): ByokError {
  const message = `"${provider}" did not take a connection within ${limitMs} ms. Try again, or raise \`requestTimeoutMs\`.`;
  return new ByokError("request_timeout", message, { provider });
}

function changed(provider: string): ByokError {
  const message = `The key of "${provider}" was replaced while a connection was being opened, and nothing was sent. Connect again.`;
  return new ByokError("key_replaced", message, { provider });
}
