import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Which connections of a server have requests under way: those are waited for when it closes, and no others. */
export class Connections {
  readonly #server: Server;
  /** Requests under way by connection, 0 between two of them. */
  readonly #underWay = new Map<Socket, number>();
  #isClosing = false;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#underWay.set(socket, 0);
      socket.once("close", () => this.#underWay.delete(socket));
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once("close", () => this.#count(socket, -1));
    });
  }

  /** Takes no more, and resolves when what is under way has ended or `limitMs` have passed. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    const timer = setTimeout(() => this.#server.closeAllConnections(), limitMs);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [socket, requests] of this.#underWay) if (requests === 0) socket.destroy();
    await closed;
    clearTimeout(timer);
  }

  #count(socket: Socket, change: 1 | -1): void {
    const requests = this.#underWay.get(socket);
    if (requests === undefined) return;
    this.#underWay.set(socket, requests + change);
    if (this.#isClosing && requests + change === 0) socket.end();
  }
}
