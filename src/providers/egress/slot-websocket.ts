import type { Agent } from "node:http";
import { ByokError } from "../../errors.ts";
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

type WsClass = new (url: string, protocols: readonly string[], options: object) => SlotWebSocket;

/** Nothing listens there: what cannot be asked for is refused on the way to it. */
const nowhere = "wss://refused.invalid";

/**
 * A WebSocket class whose every socket leaves through `agent`.
 *
 * @throws ByokError `sdk_missing` where `ws` is not installed.
 */
export function createSlotWebSocket(
  agent: Agent,
  {
    ws,
    vendor,
    requestTimeoutMs,
  }: { readonly ws: WsModule | undefined; readonly vendor: { readonly id: string }; readonly requestTimeoutMs: number },
): SlotWebSocketClass {
  if (ws === undefined) {
    const message = `The package that sockets of "${vendor.id}" need is not installed. Run: npm install ws@8`;
    throw new ByokError("sdk_missing", message, { provider: vendor.id });
  }
  return class SlotWebSocket extends (ws.WebSocket as WsClass) {
    constructor(url: string | URL, protocols?: string | readonly string[] | object | null, options?: object) {
      const isOptions = typeof protocols === "object" && protocols !== null && !Array.isArray(protocols);
      const given = (isOptions ? protocols : options) ?? {};
      const listed = isOptions || protocols == null ? [] : [protocols as string | readonly string[]].flat();
      // Never throws: reconnecting wrappers call it where nothing catches.
      super(toUrl(url), dropCredentialProtocols(listed), {
        handshakeTimeout: requestTimeoutMs,
        ...given,
        agent,
        followRedirects: false,
        createConnection: undefined,
      });
    }
  } as unknown as SlotWebSocketClass;
}

function toUrl(given: string | URL): string {
  const text = String(given);
  if (!URL.canParse(text)) return nowhere;
  const url = new URL(text);
  url.hash = "";
  url.protocol = url.protocol.replace(/^http/u, "ws");
  return /^wss?:$/u.test(url.protocol) ? url.href : nowhere;
}
