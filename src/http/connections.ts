import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Which connections of a server have a request under way: those are waited for when it closes, and no others. */
export class Connections {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#busy.add(socket);
      response.once("close", () => this.#busy.delete(socket));
    });
  }

  /** Takes no more, and resolves when what is under way has ended or `limitMs` have passed. */
  async close(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#server.closeAllConnections(), limitMs);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) if (!this.#busy.has(socket)) socket.destroy();
    await closed;
    clearTimeout(timer);
  }
}
