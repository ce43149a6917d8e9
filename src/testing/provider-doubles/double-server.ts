import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import {
  type Double,
  type DoubleRequest,
  type Grant,
  type Misbehaviour,
  type RecordedRequest,
  type Refusal,
  sendJson,
} from "./double.ts";
import { KeyRing } from "./key-ring.ts";

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
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
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
    if (this.#misbehaves(request, response)) return;
    if (refusal !== undefined) sendJson(response, refusal.body, refusal.status);
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
    const { stall, status, redirectTo, dropSocket } = this.misbehaviour ?? {};
    if (dropSocket) socket.destroy();
    else if (redirectTo !== undefined) refuseUpgrade(socket, { status: 307, body: {} }, `location: ${redirectTo}\r\n`);
    else if (status !== undefined) refuseUpgrade(socket, { status, body: {} });
    else if (stall !== undefined) return;
    else if (refusal !== undefined) refuseUpgrade(socket, refusal);
    else this.#sockets.handleUpgrade(request, socket, head, (opened) => route?.serve(opened, url));
  }

  #doubleRequest({ headers }: IncomingMessage, url: URL, body: Buffer): DoubleRequest {
    const key = this.#keyRing.keyOf(headers, this.#pathOf(url)) ?? "";
    return { url, headers, body, mint: (prefix = "") => this.#keyRing.mint(key, prefix) };
  }

  #misbehaves(request: IncomingMessage, response: ServerResponse): boolean {
    const misbehaviour = this.misbehaviour;
    if (misbehaviour === null) return false;
    const { stall, status, redirectTo, dropSocket } = misbehaviour;
    if (dropSocket) request.socket.destroy();
    else if (redirectTo !== undefined) response.writeHead(307, { location: redirectTo }).end();
    else if (status !== undefined) sendJson(response, { error: { message: `The double answers ${status}.` } }, status);
    else if (stall === "body") response.writeHead(200, { "content-type": "application/json" }).write("{");
    return true;
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

function refuseUpgrade(socket: Duplex, { status, body }: Refusal, headers = ""): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${headers}content-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${text}`,
  );
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
