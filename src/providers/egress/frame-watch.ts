import { judgeKey } from "../refusals/judge-key.ts";
import { type Refusal, type RefusalTable, toProviderAnswer } from "../refusals/refusal.ts";
import { FrameReader } from "./frame-reader.ts";
import type { KeySupply, ServingKey } from "./key-supply.ts";

export interface WatchedSocket {
  readonly serving: ServingKey;
  /** See {@link KeySupply.mayLeave}. */
  readonly request: object;
  readonly supply: KeySupply;
  readonly refusals: RefusalTable | undefined;
}

const brace = "{".charCodeAt(0);

/**
 * Listens to what a provider says on an open socket: tells the supply of the first refusal of the key, and before that, once,
 * of the first message that is none. It changes nothing of what is said.
 */
export class FrameWatch {
  readonly #socket: WatchedSocket;
  readonly #reader: FrameReader;
  #isTaken = false;
  #isRefused = false;

  constructor(socket: WatchedSocket) {
    this.#socket = socket;
    this.#reader = new FrameReader({
      onMessage: (text) => this.#hear(text === undefined ? undefined : this.#judgeText(text), true),
      onClose: (_code, reason) => this.#hear(judgeKey(socket.refusals, toProviderAnswer(null, reason)), false),
    });
  }

  read(bytes: Buffer): void {
    if (!this.#isRefused) this.#reader.read(bytes);
  }

  #hear(refusal: Refusal | undefined, isMessage: boolean): void {
    const { supply, serving, request } = this.#socket;
    if (this.#isRefused) return;
    if (refusal !== undefined) {
      this.#isRefused = true;
      void supply.onRefusal?.({ serving, request, refusal });
    } else if (isMessage && !this.#isTaken) {
      this.#isTaken = true;
      supply.onTaken?.(serving, request);
    }
  }

  /** Nothing but an object that speaks of an error is worth being parsed. */
  #judgeText(text: Buffer): Refusal | undefined {
    if (text[0] !== brace || !text.includes("rror")) return undefined;
    const said = toProviderAnswer(null, text.toString());
    return said.body === undefined ? undefined : judgeKey(this.#socket.refusals, said);
  }
}
