import type { DoubleSocket, SocketRoute } from "./double.ts";
import type { Happening } from "./fault.ts";
import type { Arrival } from "./faults.ts";

/** An open socket of a double, which a fault can cut, or tell a frame of its own, in between the double's. */
export class FaultySocket {
  readonly arrival: Arrival;
  readonly #socket: DoubleSocket;
  readonly #send: DoubleSocket["send"];
  readonly #refusalOf: SocketRoute["refuseOpen"];
  #happening: Happening = {};
  /** Since the fault began. */
  #sent = 0;
  #sentInAll = 0;
  /** Nothing more leaves it. */
  #isOver = false;

  constructor(socket: DoubleSocket, arrival: Arrival, refusalOf: SocketRoute["refuseOpen"]) {
    this.#socket = socket;
    this.#refusalOf = refusalOf;
    this.arrival = arrival;
    this.#send = socket.send.bind(socket);
    socket.on("error", () => {});
    socket.send = (data: Parameters<DoubleSocket["send"]>[0]) => {
      if (this.#isOver) return;
      this.#send(data);
      this.#sent += 1;
      this.#sentInAll += 1;
      this.#happen();
    };
  }

  /** From the next frame on; at once where the fault lets none pass. */
  meet(happening: Happening): void {
    this.#happening = happening;
    this.#sent = 0;
    this.#happen();
  }

  /** Where the fault has not happened yet, it does not. */
  forget(happening: Happening): void {
    if (this.#happening === happening) this.#happening = {};
  }

  cut(): void {
    this.#isOver = true;
    this.#socket.terminate();
  }

  #happen(): void {
    const { cutAfter, afterFrames = 0 } = this.#happening;
    if (cutAfter !== undefined && this.#sent >= cutAfter) {
      this.#isOver = true;
      // A ping leaves after what was sent, and its end says that all of that has left.
      this.#socket.ping(undefined, false, () => this.#socket.terminate());
      return;
    }
    const refused = this.#refusedBy(this.#happening);
    if (refused === undefined || this.#sent < afterFrames) return;
    const { frame, closeCode, closeReason } = refused;
    this.#happening = {};
    this.#isOver = closeCode !== undefined;
    if (frame !== undefined) this.#send(JSON.stringify(frame));
    if (closeCode !== undefined) this.#socket.close(closeCode, closeReason);
  }

  #refusedBy({
    openRefusal,
    ...given
  }: Happening): { frame?: unknown; closeCode?: number; closeReason?: string } | undefined {
    if (openRefusal !== undefined) return this.#refusalOf(openRefusal, this.#sentInAll);
    return "frame" in given ? given : undefined;
  }
}
