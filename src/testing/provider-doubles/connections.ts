import type { Server } from "node:net";
import type { Duplex } from "node:stream";

/** Every connection of a server, those of sockets and of handshakes that stall included, so that it can be closed. */
export class Connections {
  readonly #open = new Set<Duplex>();
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (connection: Duplex) => {
      this.#open.add(connection);
      connection.once("close", () => this.#open.delete(connection));
    });
  }

  /** Always ends: what is in the middle of something is destroyed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#open) connection.destroy();
    await closed;
  }
}
