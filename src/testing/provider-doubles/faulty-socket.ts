import type { DoubleSocket } from "./double.ts";
import type { Happening } from "./fault.ts";
import type { Arrival } from "./faults.ts";

/** An open socket of a double, which a fault can cut, or tell a frame of its own, in between the double's. */
export class FaultySocket {
  readonly arrival: Arrival;
  readonly #socket: DoubleSocket;
  readonly #send: DoubleSocket["send"];
  #happening: Happening = {};
  #sent = 0;
  /** Nothing more leaves it. */
  #isOver = false;

  constructor(socket: DoubleSocket, arrival: Arrival) {
    this.#socket = socket;
    this.arrival = arrival;
    this.#send = socket.send.bind(socket);
    socket.on("error", () => {});
    socket.send = (data: Parameters<DoubleSocket["send"]>[0]) => {
      if (this.#isOver) return;
      this.#send(data);
      this.#sent += 1;
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

  #happen(): void {
    const { cutAfter, frame, afterFrames = 0, closeCode } = this.#happening;
    if (cutAfter !== undefined && this.#sent >= cutAfter) {
      this.#isOver = true;
      // A ping leaves after what was sent, and its end says that all of that has left.
      this.#socket.ping(undefined, false, () => this.#socket.terminate());
    } else if (frame !== undefined && this.#sent >= afterFrames) {
      this.#happening = {};
      this.#isOver = closeCode !== undefined;
      this.#send(JSON.stringify(frame));
      if (closeCode !== undefined) this.#socket.close(closeCode);
    }
  }
}
