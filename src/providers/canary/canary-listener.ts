import { createHash } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { CanaryAnswer } from "./canary.ts";

/** What RFC 6455 has a server add to a handshake's key. */
const handshakeSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const nothing: CanaryAnswer = { type: "application/json", body: "{}" };

/** What a client sent: a request, or a handshake. */
export interface CanaryArrival {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server on a loopback port of its own. Sockets are opened and closed at once, which is a cut connection to their clients. */
export class CanaryListener {
  answer: CanaryAnswer = nothing;
  readonly port: number;
  readonly #server: Server;
  readonly #open: Set<Duplex>;

  private constructor(server: Server, open: Set<Duplex>) {
    this.#server = server;
    this.#open = open;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Rejects with what the system says where no listener may be opened. */
  static async open(onArrival: (arrival: CanaryArrival) => void): Promise<CanaryListener> {
    const open = new Set<Duplex>();
    const server = createServer();
    server.on("connection", (socket: Duplex) => {
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve());
    });
    const listener = new CanaryListener(server, open);
    const arrive = ({ url = "", headers }: IncomingMessage): void => onArrival({ url, headers });
    server.on("request", (request, response: ServerResponse) => {
      request.resume().on("end", () => {
        arrive(request);
        response.setHeader("content-type", listener.answer.type).end(listener.answer.body);
      });
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      arrive(request);
      socket.end(acceptHandshake(request.headers));
    });
    return listener;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function acceptHandshake(headers: IncomingHttpHeaders): string {
  const hash = createHash("sha1").update(`${headers["sec-websocket-key"]}${handshakeSuffix}`).digest("base64");
  const [protocol] = (headers["sec-websocket-protocol"] ?? "").split(",");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol.trim()}`);
  return [...lines, `Sec-WebSocket-Accept: ${hash}`, "", ""].join("\r\n");
}
