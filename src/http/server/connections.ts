import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";

/** What becomes of a request: no answer reaches a client behind its connection's last one. */
export type Admission = "answer" | "refuse" | "ignore";

/** The connections of a server: how many there may be, and how they end when it closes. */
export class Connections {
  readonly #server: Server;
  /** The answers that each connection is still owed, in their order. */
  readonly #owed = new Map<Socket, Set<ServerResponse>>();
  /** Connections that wait for their client and not for the server, the longest first. */
  readonly #waiting = new Set<Socket>();
  /** Connections of which it is settled which answer is their last. */
  readonly #ending = new WeakSet<Socket>();
  #phase: "open" | "draining" | "closed" = "open";

  constructor(server: Server, max: number, onError: (error: Error) => void) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#owed.set(socket, new Set());
      this.#waiting.add(socket);
      socket.once("close", () => this.#forget(socket));
      if (this.#owed.size > max) this.#makeRoom();
    });
    // As when the process may open no more files: it goes on, and the next client finds one that is free.
    server.on("error", (error) => {
      this.#makeRoom();
      onError(error);
    });
  }

  /** Tells what is to become of a request that has arrived. */
  admit({ socket }: IncomingMessage, response: ServerResponse): Admission {
    const owed = this.#owed.get(socket);
    if (owed === undefined || this.#ending.has(socket)) return "ignore";
    owed.add(response);
    this.#waiting.delete(socket);
    // It has its answer, and what is missing is that somebody reads it.
    response.once("prefinish", () => this.#wait(socket));
    response.once("close", () => this.#settle(socket, response));
    if (this.#phase !== "open") this.#endAfter(socket, response);
    return this.#phase === "closed" ? "refuse" : "answer";
  }

  /** Lets a connection end with the answers that it is owed; `false` where it is owed none that can be given. */
  endWithOwed(socket: Socket): boolean {
    const owed = [...(this.#owed.get(socket) ?? [])];
    const last = owed.at(-1);
    if (last === undefined || (owed.length === 1 && !last.req.complete)) return false;
    this.#endAfter(socket, last);
    return true;
  }

  /** Whether an answer is on its way to a client, which cannot be followed by another. */
  hasBegun(socket: Socket): boolean {
    return [...(this.#owed.get(socket) ?? [])].some(({ headersSent }) => headersSent);
  }

  /** From now on every connection ends with its next answer. */
  drain(): void {
    this.#phase = "draining";
    for (const [socket, owed] of this.#owed) {
      const last = [...owed].at(-1);
      if (last !== undefined && !last.headersSent) this.#endAfter(socket, last);
    }
  }

  /** Takes no more, and resolves when what is under way has ended or `limitMs` have passed. */
  async close(limitMs: number): Promise<void> {
    if (this.#phase === "open") this.drain();
    this.#phase = "closed";
    const timer = setTimeout(() => this.#server.closeAllConnections(), limitMs);
    // Node's HTTP server would also end connections whose answer is still on its way.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(this.#server, () => resolve()));
    for (const [socket, owed] of this.#owed) if (owed.size === 0) socket.destroy();
    await closed;
    clearTimeout(timer);
    this.#server.close();
  }

  /** Ends the connection that has waited longest for its client: the newest itself where all others have work under way. */
  #makeRoom(): void {
    const [longest] = this.#waiting;
    if (longest === undefined) return;
    this.#forget(longest);
    longest.destroy();
  }

  #endAfter(socket: Socket, response: ServerResponse): void {
    response.shouldKeepAlive = false;
    this.#ending.add(socket);
  }

  #settle(socket: Socket, response: ServerResponse): void {
    const owed = this.#owed.get(socket);
    if (owed === undefined) return;
    owed.delete(response);
    if (owed.size > 0) this.#waiting.delete(socket);
    else if (this.#phase === "closed" || this.#ending.has(socket)) socket.destroySoon();
    else this.#wait(socket);
  }

  #wait(socket: Socket): void {
    this.#waiting.delete(socket);
    this.#waiting.add(socket);
  }

  #forget(socket: Socket): void {
    this.#owed.delete(socket);
    this.#waiting.delete(socket);
  }
}
