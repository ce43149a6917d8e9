import type { Clock, Timer } from "../clock.ts";
import type { ServingKey } from "../providers/egress/key-supply.ts";
import type { SlotWatch } from "./slot-watch.ts";

type Close = (why: Error) => void;

interface OpenSocket {
  readonly serving: ServingKey;
  /** Runs from the removal of its key to the end of the grace. */
  timer: Timer | undefined;
}

/** A slot's open sockets. What a customer's key has opened is closed when that key is removed, `graceMs` later. */
export class HeldSockets {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #watch: Pick<SlotWatch, "hold">;
  readonly #open = new Map<Close, OpenSocket>();
  #stopWatching: (() => void) | undefined;

  constructor(clock: Clock, graceMs: number, watch: Pick<SlotWatch, "hold">) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#watch = watch;
  }

  /** Returns what is to be called when the socket has closed: no timer and no watching outlives it. */
  hold(serving: ServingKey, close: Close): () => void {
    this.#open.set(close, { serving, timer: undefined });
    this.#stopWatching ??= this.#watch.hold();
    return () => {
      this.#open.get(close)?.timer?.cancel();
      this.#open.delete(close);
      if (this.#open.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  closeAll(why: Error): void {
    for (const close of [...this.#open.keys()]) close(why);
  }

  closeRevoked(why: Error): void {
    for (const [close, socket] of this.#open) {
      if (socket.serving.source !== "byok" || socket.timer !== undefined) continue;
      if (this.#graceMs === 0) close(why);
      else socket.timer = this.#clock.schedule(this.#graceMs, () => close(why), "background");
    }
  }
}
