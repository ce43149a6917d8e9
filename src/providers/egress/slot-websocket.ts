import type { EventEmitter } from "node:events";
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { ByokError, isByokError } from "../../errors.ts";
import { hasDotSegment } from "./aim.ts";
import { dropCredentialProtocols } from "./foreign-credentials.ts";

/** What every WebSocket has, in Node's way and in the browsers'. Listeners take what the library that made it gives them. */
export interface SlotWebSocket {
  readonly url: string;
  readonly readyState: number;
  readonly protocol: string;
  readonly bufferedAmount: number;
  // biome-ignore-start lint/suspicious/noExplicitAny: the events of `ws` and of the DOM have no type in common.
  binaryType: any;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(data: any, ...more: any[]): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: any) => void, options?: any): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
  on(event: string, listener: (...values: any[]) => void): this;
  once(event: string, listener: (...values: any[]) => void): this;
  off(event: string, listener: (...values: any[]) => void): this;
  terminate(): void;
  // biome-ignore-end lint/suspicious/noExplicitAny: as above.
}

/** Takes `(url, protocols?, options?)` as `ws` does, and `(url, options?)`. */
export interface SlotWebSocketClass {
  new (url: string | URL, protocols?: string | readonly string[] | object | null, options?: object): SlotWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

/** Of the package `ws`, what is used. */
export interface WsModule {
  readonly WebSocket: unknown;
}

interface EmittingSocket extends SlotWebSocket {
  emit(event: string, ...values: readonly unknown[]): boolean;
}

type WsClass = new (url: string, protocols: readonly string[], options: object) => EmittingSocket;

/** What is told of a handshake that a provider has refused. */
const whyRefused = new WeakMap<object, Error>();

/** Nothing listens there: what cannot be asked for is refused on the way to it. */
const nowhere = "wss://refused.invalid";

/** What a socket needs of its slot. */
export interface SocketWay {
  readonly agent: Agent;
  readonly requestTimeoutMs: number;
  explainHandshake(answer: IncomingMessage): Promise<ByokError>;
}

/**
 * A WebSocket class whose every socket leaves through the slot's agent.
 *
 * @throws ByokError `sdk_missing` where `ws` is not installed.
 */
export function createSlotWebSocket(ws: WsModule | undefined, provider: string, way: SocketWay): SlotWebSocketClass {
  if (ws === undefined) {
    const message = `The package that sockets of "${provider}" need is not installed. Run: npm install ws@8`;
    throw new ByokError("sdk_missing", message, { provider });
  }
  return extendWebSocket(ws.WebSocket, way);
}

/**
 * `Base`, a WebSocket class of the package `ws`, with every socket through `agent`. Its constructor never throws, for
 * reconnecting wrappers call it where nothing catches: what cannot be asked for, and what is refused, is an `error` and a
 * `close` event, and without a listener nothing.
 */
export function extendWebSocket(Base: unknown, way: SocketWay): SlotWebSocketClass {
  const { agent, requestTimeoutMs } = way;
  return class SlotWebSocket extends (Base as WsClass) {
    // biome-ignore lint/correctness/noUnreachableSuper: it is called again where the first call has thrown.
    constructor(url: string | URL, protocols?: string | readonly string[] | object | null, options?: object) {
      const isOptions = typeof protocols === "object" && protocols !== null && !Array.isArray(protocols);
      const given = (isOptions ? protocols : options) ?? {};
      const listed = isOptions || protocols == null ? [] : [protocols as string | readonly string[]].flat();
      const own = {
        agent,
        // Of `ws`, where they were not given: a prototype that is polluted would.
        auth: undefined,
        createConnection: undefined,
        finishRequest: undefined,
        followRedirects: false,
        // What is compressed hides a key that comes back in it.
        perMessageDeflate: false,
      };
      try {
        const protocols = dropCredentialProtocols(listed.map(String));
        super(toUrl(url), protocols, { handshakeTimeout: requestTimeoutMs, ...given, ...own });
      } catch {
        super(nowhere, [], { ...own, agent: refusingAgent });
      }
      this.on("error", () => {});
      tellWhyItEnds(this as unknown as EventEmitter);
      this.once("unexpected-response", (_request: unknown, answer: IncomingMessage) => void this.#refuse(answer));
    }

    /** `ws` tells of a handshake that was given up: what the provider refused is told in the place of that. */
    async #refuse(answer: IncomingMessage): Promise<void> {
      whyRefused.set(this, await way.explainHandshake(answer));
      this.terminate();
    }

    override emit(event: string, ...values: readonly unknown[]): boolean {
      const why = event === "error" ? whyRefused.get(this) : undefined;
      return super.emit(event, ...(why === undefined ? values : [why]));
    }
  } as unknown as SlotWebSocketClass;
}

/** The class of `ws` that `Given` extends: what is between may put in an agent, or more, of its own. */
export function wsClassOf(Given: unknown): unknown {
  let Class = Given;
  for (let parent = Object.getPrototypeOf(Class); "CONNECTING" in parent; parent = Object.getPrototypeOf(Class))
    Class = parent;
  return Class;
}

/** `ws` tells of nothing but a closed connection when one breaks: why byokit closed it is an `error` of its own. */
export function tellWhyItEnds(socket: EventEmitter): void {
  socket.once("upgrade", ({ socket: connection }: IncomingMessage) => {
    connection.prependOnceListener("error", (error) => {
      if (isByokError(error)) socket.emit("error", error);
    });
  });
}

/** Refuses what is no request for a socket. All that Node needs of an agent. */
const refusingAgent = {
  protocol: undefined,
  addRequest(request: ClientRequest & { onSocket(socket: null, error: Error): void }): void {
    const message = "A socket was asked for with a URL, subprotocols or options that none can have. Correct them.";
    request.onSocket(null, new ByokError("options_invalid", message));
  },
};

function toUrl(given: unknown): string {
  const text = String(given);
  if (!URL.canParse(text) || hasDotSegment(text)) return nowhere;
  const url = new URL(text);
  url.hash = "";
  url.protocol = url.protocol.replace(/^http/u, "ws");
  return /^wss?:$/u.test(url.protocol) ? url.href : nowhere;
}
