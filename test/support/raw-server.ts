import { createHash } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../../src/testing/provider-doubles/double-server.ts";

export interface RawServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  /** What each connection has sent, in bytes of Latin-1. */
  readonly received: string[];
  readonly sockets: Socket[];
  /** Called when a connection's head has come. An empty answer in HTTP unless a test says otherwise. */
  answer: (socket: Socket, head: string) => void;
}

/** A loopback server that keeps every byte that comes. */
export async function rawServer({
  host = "127.0.0.1",
  tls,
}: {
  readonly host?: string;
  readonly tls?: Certificate;
} = {}): Promise<RawServer> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const serve = (socket: Socket): void => {
    const index = received.push("") - 1;
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const before = received[index] ?? "";
      const after = before + bytes.toString("latin1");
      received[index] = after;
      if (!before.includes("\r\n\r\n") && after.includes("\r\n\r\n")) server.answer(socket, after);
    });
  };
  const listening = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  listening.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => listening.listen(0, host, resolve));
  const { port } = listening.address() as AddressInfo;
  const server: RawServer = {
    origin: `http${tls === undefined ? "" : "s"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    received,
    sockets,
    answer: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
  return server;
}

/** Answers a websocket's handshake, with more headers where a test wants them. */
export function acceptSocket(socket: Socket, head: string, more = ""): void {
  const key = /sec-websocket-key: (?<key>.*)\r\n/iu.exec(head)?.groups?.["key"] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n${more}\r\n`,
  );
}

/** A text as a frame of a server's. */
export function textFrame(text: string): Buffer {
  return serverFrame(1, Buffer.from(text));
}

/** A frame of a server's; `opcode` 1 is a text, 2 is bytes, 8 a close, 0 goes on with what an unfinished one began. */
export function serverFrame(opcode: number, bytes: Buffer, isFinal = true): Buffer {
  const { length } = bytes;
  const size = [length >> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  const coded = length < 126 ? [length] : length < 65_536 ? [126, ...size.slice(2)] : [127, 0, 0, 0, 0, ...size];
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode, ...coded]), bytes]);
}

/** A close of a server's, with its reason. */
export function closeFrame(code: number, reason: string): Buffer {
  return serverFrame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
}

/** The lines of a head that begin with one of `names`. */
export function headersOf(received: string | undefined, ...names: readonly string[]): string[] {
  const [head = ""] = (received ?? "").split("\r\n\r\n");
  return head.split("\r\n").filter((line) => names.some((name) => line.toLowerCase().startsWith(`${name}:`)));
}
