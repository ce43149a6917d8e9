import { byokErrorOf } from "../../src/byok-error-of.ts";
import type { Call, Midway } from "./way.ts";

/** A socket on which turns are held. */
export interface Line {
  readonly isOver: boolean;
  readonly over: Promise<void>;
  turn(midway: Midway): Promise<string>;
  close(): void;
}

interface HeldSlot<S> {
  readonly signal: AbortSignal;
  renew(error?: unknown): Promise<S>;
}

/**
 * Opens a socket as a worker does: what is refused because of its key is asked for once more, of the slot as it serves then.
 */
export async function openLine<S extends HeldSlot<S>>(
  slot: S,
  open: (slot: S) => Promise<Line>,
): Promise<readonly [Line, S]> {
  try {
    return [await open(slot), slot];
  } catch (error) {
    const code = byokErrorOf(error)?.code;
    if (code !== "key_rejected" && code !== "key_exhausted") throw error;
    const renewed = await slot.renew(error);
    return [await open(renewed), renewed];
  }
}

/** A call on one socket: opened anew before a turn where another key serves, or where it was closed. */
export class HeldLine<S extends HeldSlot<S>> implements Call {
  readonly signal: AbortSignal;
  readonly #open: (slot: S) => Promise<Line>;
  #slot: S;
  #line: Line | undefined;

  constructor(slot: S, open: (slot: S) => Promise<Line>) {
    this.signal = slot.signal;
    this.#slot = slot;
    this.#open = open;
  }

  get hungUp(): Promise<void> {
    return this.#line?.over ?? Promise.resolve();
  }

  async turn(midway?: Midway): Promise<string> {
    if (this.#slot.signal.aborted) {
      this.#line?.close();
      this.#line = undefined;
      this.#slot = await this.#slot.renew();
    }
    if (this.#line === undefined || this.#line.isOver) {
      this.#line = undefined;
      [this.#line, this.#slot] = await openLine(this.#slot, this.#open);
    }
    return await this.#line.turn(midway);
  }

  end(): void {
    this.#line?.close();
  }
}
