import type { Clock } from "../clock.ts";
import type { ServingKey } from "../providers/egress/key-supply.ts";
import type { SlotWatch } from "./slot-watch.ts";

type Close = (why: Error) => void;

/** A slot's open sockets. What a customer's key has opened is closed when that key is removed, `graceMs` later. */
export class HeldSockets {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #watch: SlotWatch;
  readonly #open = new Map<Close, ServingKey>();
  #stopWatching: (() => void) | undefined;

  constructor(clock: Clock, graceMs: number, watch: SlotWatch) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#watch = watch;
  }

  /** Returns what is to be called when the socket has closed. */
  hold(serving: ServingKey, close: Close): () => void {
    this.#open.set(close, serving);
    this.#stopWatching ??= this.#watch.hold();
    return () => {
      this.#open.delete(close);
      if (this.#open.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  closeRevoked(why: Error): void {
    for (const [close, { source }] of this.#open) {
      if (source !== "byok") continue;
      if (this.#graceMs === 0) close(why);
      else this.#clock.schedule(this.#graceMs, () => close(why), "background");
    }
  }
}
