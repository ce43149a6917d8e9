import { once } from "node:events";
import { WebSocket } from "ws";

type Message = Readonly<Record<string, unknown>>;

/** What a raw socket of a double told: JSON as objects, audio as buffers. */
export interface ToldSocket {
  readonly socket: WebSocket;
  readonly told: (Message | Buffer)[];
  /** How it closed. */
  readonly closed: Promise<number>;
  send(message: object | Buffer): void;
  /** The first message that is, or will be, of this kind. */
  heard(isIt: (message: Message) => boolean): Promise<Message>;
}

/** Opens a socket; fails with the status where the handshake is refused. */
export async function openSocket(url: string, headers: Record<string, string>): Promise<ToldSocket> {
  const socket = new WebSocket(url, { headers });
  const told: (Message | Buffer)[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer, isBinary) => {
    told.push(isBinary ? data : (JSON.parse(data.toString()) as Message));
    for (const look of waiting) look();
  });
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await Promise.race([
    once(socket, "open"),
    closed.then(() => Promise.reject(new Error("cut at the handshake"))),
    once(socket, "unexpected-response").then(async ([_request, response]) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      throw Object.assign(new Error("refused"), {
        status: response.statusCode as number,
        headers: response.headers as Message,
        body: JSON.parse(Buffer.concat(chunks).toString()) as unknown,
      });
    }),
  ]);
  const heard = (isIt: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = told.find((message): message is Message => !Buffer.isBuffer(message) && isIt(message));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const send = (message: object | Buffer): void =>
    socket.send(Buffer.isBuffer(message) ? message : JSON.stringify(message));
  return { socket, told, closed, send, heard };
}
