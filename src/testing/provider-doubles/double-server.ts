import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { bodyOf } from "./body-of.ts";
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
import { KeyRing, type Showing } from "./key-ring.ts";
import { misbehave, misbehaveAtUpgrade } from "./misbehaviour.ts";

/** The most of a body that is kept, in characters. */
const maxRecordedBody = 65_536;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** One double on a loopback port of its own. */
export class DoubleServer {
  readonly keys: Map<string, Grant>;
  readonly #double: Double;
  readonly #keyRing: KeyRing;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #open = new Set<FaultySocket>();
  readonly #faults = new Faults();
  readonly #connections: Connections;
  readonly #record: (request: RecordedRequest) => void;
  #misbehaviour: Misbehaviour | null = null;
  readonly #scheme: "http" | "https";

  constructor(double: Double, record: (request: RecordedRequest) => void, tls: Certificate | undefined) {
    // A client that goes away, or asks for what is no URL, ends its own connection and nothing else.
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response).catch(() => request.socket.destroy());
    this.#double = double;
    this.#sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => this.#protocolOf(offered) });
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

  behave(misbehaviour: Misbehaviour | null): void {
    this.#misbehaviour = misbehaviour;
    if (misbehaviour?.dropSocket) for (const socket of this.#open) socket.cut();
  }

  /** Hands out how to end it. */
  fail(fault: Fault): () => void {
    const active = this.#faults.add(fault);
    const touchesOpen =
      fault.after === undefined && ("cutAfter" in fault || "frame" in fault || "openRefusal" in fault);
    for (const socket of touchesOpen ? this.#open : []) if (active.takes(socket.arrival)) socket.meet(active.fault);
    return () => {
      this.#faults.end(active);
      for (const socket of this.#open) socket.forget(active.fault);
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = this.#urlOf(request);
    const showing = this.#showing("http", request, url);
    const route = this.#double.routes.find(({ method, path }) => method === request.method && path.test(showing.path));
    const isKeyless = route?.keyOptional === true && this.#keyRing.shown(showing) === null;
    const refusal = isKeyless ? undefined : this.#keyRing.refuse(showing, route?.needsScope === true);
    this.#recordRequest(showing, request, url, refusal === undefined, body.toString().slice(0, maxRecordedBody));
    if (misbehave(this.#misbehaviour, request, response)) return;
    const fault = refusal === undefined ? this.#faults.meet(this.#arrival(showing, url)) : undefined;
    if (refusal !== undefined) sendJson(response, refusal.body, refusal.status);
    else if (fault !== undefined && answerFaultily(fault, this.#double, response)) return;
    else if (route === undefined) sendJson(response, { error: { message: "Not found" } }, 404);
    else await route.answer(this.#doubleRequest(showing, url, body), response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = this.#urlOf(request);
    const showing = this.#showing("websocket", request, url);
    const account = this.#keyRing.accountOf(showing);
    const route = this.#double.sockets.find(({ path }) => path.test(showing.path));
    const refusal =
      this.#keyRing.refuse(showing, false) ??
      (route === undefined ? { status: 404, body: {} } : route.refuse?.(url, account));
    this.#recordRequest(showing, request, url, refusal === undefined, null);
    if (misbehaveAtUpgrade(this.#misbehaviour, socket)) return;
    if (refusal !== undefined || route === undefined) {
      refuseUpgrade(socket, refusal ?? { status: 404, body: {} });
      return;
    }
    const arrival = this.#arrival(showing, url);
    const fault = this.#faults.meet(arrival);
    if (fault !== undefined && upgradeFaultily(fault, this.#double, socket)) return;
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      const faulty = new FaultySocket(opened, arrival, (kind, sent) => route.refuseOpen(kind, sent));
      this.#open.add(faulty);
      opened.once("close", () => this.#open.delete(faulty));
      if (fault !== undefined) faulty.meet(fault);
      route.serve(opened, url, account);
    });
  }

  /** A credential is not chosen, unless nothing else is offered: a browser gives up where nothing is. */
  #protocolOf(offered: ReadonlySet<string>): string | false {
    const credential = this.#double.protocols?.of([...offered])?.shown;
    const isCredential = (one: string): boolean => credential !== undefined && one.endsWith(credential);
    return [...offered].find((one) => !isCredential(one)) ?? [...offered][0] ?? false;
  }

  #showing(kind: Showing["kind"], { headers }: IncomingMessage, url: URL): Showing {
    return { kind, headers, path: this.#pathOf(url) };
  }

  #arrival(showing: Showing, { pathname: path }: URL): Arrival {
    return { kind: showing.kind, path, shown: this.#keyRing.shown(showing) };
  }

  #doubleRequest(showing: Showing, url: URL, body: Buffer): DoubleRequest {
    const ring = this.#keyRing;
    const mint = (prefix = ""): string => ring.mint(ring.keyOf(showing) ?? "", prefix);
    return { url, headers: showing.headers, body, mint, account: ring.accountOf(showing) };
  }

  #recordRequest(
    showing: Showing,
    { method = "", headers }: IncomingMessage,
    { pathname: path, searchParams }: URL,
    accepted: boolean,
    body: string | null,
  ): void {
    const { id: provider } = this.#double;
    const query = Object.fromEntries(searchParams);
    const key = this.#keyRing.shown(showing);
    this.#record({ provider, kind: showing.kind, method, path, query, headers, key, accepted, body });
  }

  #urlOf(request: IncomingMessage): URL {
    return new URL(request.url ?? "/", "http://127.0.0.1");
  }

  #pathOf({ pathname }: URL): string {
    const { prefix } = this.#double;
    return pathname.startsWith(prefix) ? pathname.slice(prefix.length) : "";
  }
}
