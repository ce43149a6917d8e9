import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { Connections } from "./connections.ts";
import {
  type Double,
  type DoubleRequest,
  type Grant,
  type Misbehaviour,
  type RecordedRequest,
  sendJson,
} from "./double.ts";
import type { Fault } from "./fault.ts";
import { type Arrival, Faults } from "./faults.ts";
import { answerFaultily, refuseUpgrade, upgradeFaultily } from "./faulty-answer.ts";
import { FaultySocket } from "./faulty-socket.ts";
import { KeyRing } from "./key-ring.ts";
import { misbehave, misbehaveAtUpgrade } from "./misbehaviour.ts";

/** The most of a body that is read, in bytes. */
const maxBodyBytes = 8 * 1024 * 1024;
/** The most of a body that is kept, in characters. */
const maxRecordedBody = 65_536;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** One double on a loopback port of its own. */
export class DoubleServer {
  readonly keys: Map<string, Grant>;
  misbehaviour: Misbehaviour | null = null;
  readonly #double: Double;
  readonly #keyRing: KeyRing;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #open = new Set<FaultySocket>();
  readonly #faults = new Faults();
  readonly #connections: Connections;
  readonly #record: (request: RecordedRequest) => void;
  readonly #scheme: "http" | "https";

  constructor(double: Double, record: (request: RecordedRequest) => void, tls: Certificate | undefined) {
    // A client that goes away, or asks for what is no URL, ends its own connection and nothing else.
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response).catch(() => request.socket.destroy());
    this.#double = double;
    this.#keyRing = new KeyRing(double);
    this.keys = this.#keyRing.keys;
    this.#record = record;
    this.#scheme = tls === undefined ? "http" : "https";
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#connections = new Connections(this.#server);
    this.#server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => {});
      try {
        this.#upgrade(request, socket, head);
      } catch {
        socket.destroy();
      }
    });
  }

  async listen(): Promise<{ readonly baseUrl: string; readonly websocketUrl: string }> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo;
    const baseUrl = `${this.#scheme}://127.0.0.1:${port}${this.#double.prefix}`;
    return { baseUrl, websocketUrl: baseUrl.replace(/^http/u, "ws") };
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** Hands out how to end it. */
  fail(fault: Fault): () => void {
    const active = this.#faults.add(fault);
    const touchesOpen = fault.after === undefined && ("cutAfter" in fault || "frame" in fault);
    for (const socket of touchesOpen ? this.#open : []) if (active.takes(socket.arrival)) socket.meet(active.fault);
    return () => {
      this.#faults.end(active);
      for (const socket of this.#open) socket.forget(active.fault);
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = this.#urlOf(request);
    const route = this.#double.routes.find(
      ({ method, path }) => method === request.method && path.test(this.#pathOf(url)),
    );
    const isKeyless = route?.keyOptional === true && this.#keyRing.shown(request.headers) === null;
    const refusal = isKeyless
      ? undefined
      : this.#keyRing.refuse(request.headers, this.#pathOf(url), route?.needsScope === true);
    this.#recordRequest("http", request, url, refusal === undefined, body.toString().slice(0, maxRecordedBody));
    if (misbehave(this.misbehaviour, request, response)) return;
    const fault = refusal === undefined ? this.#faults.meet(this.#arrival("http", request, url)) : undefined;
    if (refusal !== undefined) sendJson(response, refusal.body, refusal.status);
    else if (fault !== undefined && answerFaultily(fault, this.#double, response)) return;
    else if (route === undefined) sendJson(response, { error: { message: "Not found" } }, 404);
    else await route.answer(this.#doubleRequest(request, url, body), response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = this.#urlOf(request);
    const route = this.#double.sockets.find(({ path }) => path.test(this.#pathOf(url)));
    const refusal =
      this.#keyRing.refuse(request.headers, this.#pathOf(url), false) ??
      route?.refuse?.(url) ??
      (route ? undefined : { status: 404, body: {} });
    this.#recordRequest("websocket", request, url, refusal === undefined, null);
    if (misbehaveAtUpgrade(this.misbehaviour, socket)) return;
    if (refusal !== undefined) {
      refuseUpgrade(socket, refusal);
      return;
    }
    const arrival = this.#arrival("websocket", request, url);
    const fault = this.#faults.meet(arrival);
    if (fault !== undefined && upgradeFaultily(fault, this.#double, socket)) return;
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      const faulty = new FaultySocket(opened, arrival);
      this.#open.add(faulty);
      opened.once("close", () => this.#open.delete(faulty));
      if (fault !== undefined) faulty.meet(fault);
      route?.serve(opened, url);
    });
  }

  #arrival(kind: Arrival["kind"], { headers }: IncomingMessage, { pathname: path }: URL): Arrival {
    return { kind, path, shown: this.#keyRing.shown(headers) };
  }

  #doubleRequest({ headers }: IncomingMessage, url: URL, body: Buffer): DoubleRequest {
    const key = this.#keyRing.keyOf(headers, this.#pathOf(url)) ?? "";
    return { url, headers, body, mint: (prefix = "") => this.#keyRing.mint(key, prefix) };
  }

  #recordRequest(
    kind: RecordedRequest["kind"],
    request: IncomingMessage,
    url: URL,
    accepted: boolean,
    body: string | null,
  ): void {
    const { id } = this.#double;
    const { method = "", headers } = request;
    const query = Object.fromEntries(url.searchParams);
    this.#record({
      provider: id,
      kind,
      method,
      path: url.pathname,
      query,
      headers,
      key: this.#keyRing.shown(headers),
      accepted,
      body,
    });
  }

  #urlOf(request: IncomingMessage): URL {
    return new URL(request.url ?? "/", "http://127.0.0.1");
  }

  #pathOf({ pathname }: URL): string {
    const { prefix } = this.#double;
    return pathname.startsWith(prefix) ? pathname.slice(prefix.length) : "";
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
