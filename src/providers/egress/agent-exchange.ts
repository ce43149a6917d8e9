import { judgeKey } from "../refusals/judge-key.ts";
import type { Refusal } from "../refusals/refusal.ts";
import { AnswerMask } from "./answer-mask.ts";
import { AnswerReader } from "./answer-reader.ts";
import { type Asked, Departure, type DepartureOptions } from "./departure.ts";
import { FrameWatch } from "./frame-watch.ts";
import type { KeySupply, RefusedKey, SentRequest, ServingKey } from "./key-supply.ts";
import { RequestHead } from "./request-head.ts";
import { type Exchange, SlotConnection } from "./slot-connection.ts";
import type { Vendor } from "./vendor.ts";

export interface ExchangeOptions extends DepartureOptions {
  readonly vendor: Pick<Vendor, "refusals" | "accountState">;
}

/** How many keys of one handshake are refused before it is given up: an organisation's, the one that replaced it, the platform's. */
const maxRefusals = 3;

/** The longest that the rest of a refusal is waited for, in milliseconds: its status is known already. */
const maxReadMs = 1_000;

/**
 * One request through an agent, and its answer. A handshake whose key is refused is made again with what serves then, over
 * another connection, as long as its answer was not passed on; of any other request a refusal is told, and passed on.
 */
export class AgentExchange implements Exchange {
  readonly #options: ExchangeOptions;
  readonly #asked: Asked;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  #connection!: SlotConnection;
  #departure: Departure;
  #head!: RequestHead;
  #serving!: ServingKey;
  #mask: AnswerMask | undefined;
  /** What was sent last, and is not reported yet. */
  #sent: SentRequest | undefined;
  /** Until the answer needs no more looking at. */
  #answer: AnswerReader | undefined;
  /** What of a handshake's answer is not passed on yet. */
  #held: Buffer[] = [];
  #holding: NodeJS.Timeout | undefined;
  #isRepeatable: boolean;
  #refusals = 0;
  #frames: FrameWatch | undefined;

  constructor(options: ExchangeOptions, asked: Asked) {
    this.#options = options;
    this.#asked = asked;
    this.#signal = AbortSignal.any([asked.opening.signal, this.#closing.signal]);
    this.#departure = new Departure(options, asked, this.#signal);
    this.#isRepeatable = asked.isUpgrade && options.supply.replace !== undefined;
  }

  /** Opens a connection to the host that serves; what leaves first on it is decided as it is written. */
  async open(): Promise<SlotConnection> {
    this.#connection = new SlotConnection(await this.#departure.connect(), this);
    this.#connection.once("close", () => this.#close());
    return this.#connection;
  }

  writeHead(head: string): void | Promise<void> {
    this.#head = new RequestHead(head);
    return this.#send();
  }

  onMore(): void {
    this.#isRepeatable = false;
  }

  onBytes(bytes: Buffer): void {
    this.#receive(this.#mask?.mask(bytes) ?? bytes);
  }

  onEnd(error?: Error): void {
    const rest = this.#mask?.flush();
    if (rest !== undefined && rest.length > 0) this.#receive(rest);
    if (this.#answer !== undefined && this.#judge(this.#answer)) return;
    this.#connection.finish(error);
  }

  #receive(masked: Buffer): void {
    const answer = this.#answer;
    if (answer === undefined) this.#frames?.read(masked);
    answer?.add(masked);
    if (answer !== undefined && this.#asked.isUpgrade) this.#held.push(masked);
    else this.#connection.pass(masked);
    if (answer === undefined) return;
    if (!this.#asked.isUpgrade) this.#asked.opening.answered();
    this.#look(answer);
  }

  #send(): void | Promise<void> {
    const { socket } = this.#connection;
    return this.#departure.send(this.#head, socket, (serving) => {
      this.#serving = serving;
      this.#mask = new AnswerMask(serving.key);
      this.#answer = new AnswerReader();
      const end = (why: Error): void => void this.#connection.destroy(why);
      socket.once("close", this.#options.supply.holdSocket(serving, end));
    });
  }

  /** Judges an answer as soon as enough of it is there. */
  #look(answer: AnswerReader): void {
    const { status, isWhole, rest } = answer;
    if (status !== null) this.#note(status);
    const mayRefuse = status !== null && status >= 400 && status < 500 && this.#isHeard;
    const isEnough = isWhole || (status !== null && !mayRefuse && (status !== 101 || rest !== undefined));
    if (isEnough) this.#judge(answer);
    else if (mayRefuse && this.#asked.isUpgrade) this.#holding ??= setTimeout(() => this.#judge(answer), maxReadMs);
  }

  /** Whether anybody asks what a refusal says. */
  get #isHeard(): boolean {
    const { supply } = this.#options;
    return supply.replace !== undefined || supply.onRefusal !== undefined;
  }

  /** Returns true if the handshake is made again; if not, the answer is passed on. */
  #judge(answer: AnswerReader): boolean {
    const { supply, vendor } = this.#options;
    this.#stopLooking();
    this.#note(answer.status);
    // Of an answer that its reader has cut off the status says nothing of a key; a handshake's is read to its end.
    const isRead = this.#asked.isUpgrade || answer.isWhole || answer.toAnswer().text !== "";
    const isSaid = answer.status !== null && isRead;
    const refusal = this.#isHeard && isSaid ? judgeKey(vendor.refusals, answer.toAnswer()) : undefined;
    if (refusal !== undefined && this.#isRepeatable && !this.#connection.destroyed) {
      this.#connection.replace(() => this.#repeat(refusal));
      return true;
    }
    const judged = refusal && supply.onRefusal?.({ serving: this.#serving, request: this.#asked, refusal });
    // What tries a key has ended only when it is known what to think of that.
    if (judged === undefined) this.#report();
    else void judged.then(() => this.#report());
    this.#release(answer);
    return false;
  }

  #release({ status, rest }: AnswerReader): void {
    const { supply, vendor } = this.#options;
    if (status === 101 && rest !== undefined) {
      const socket = { supply, request: this.#asked, serving: this.#serving };
      this.#frames = new FrameWatch({ ...socket, refusals: vendor.refusals });
      this.#frames.read(rest);
    }
    for (const bytes of this.#takeHeld()) this.#connection.pass(bytes);
  }

  async #repeat(refusal: Refusal): Promise<void> {
    this.#takeHeld();
    try {
      const next = await this.#replace({ serving: this.#serving, request: this.#asked, refusal });
      this.#departure = new Departure(this.#options, this.#asked, this.#signal);
      this.#connection.attach(await this.#departure.connect(next));
      await this.#send();
    } catch (error) {
      this.#connection.destroy(this.#options.failures.place(error as Error));
    }
  }

  /** What serves the handshake instead of a key that was refused. */
  async #replace(refused: RefusedKey): Promise<ServingKey> {
    const { supply, failures } = this.#options;
    this.#refusals += 1;
    try {
      const next = await (supply as Required<KeySupply>).replace(refused, this.#signal);
      if (this.#refusals >= maxRefusals) throw failures.refused(refused.serving);
      return next;
    } finally {
      this.#report();
    }
  }

  #note(status: number | null): void {
    const durationMs = performance.now() - this.#departure.startedAtMs;
    this.#sent ??= { serving: this.#serving, request: this.#asked, status, durationMs };
  }

  #report(): void {
    if (this.#sent !== undefined) this.#options.supply.onRequest(this.#sent);
    this.#sent = undefined;
  }

  #takeHeld(): Buffer[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #stopLooking(): void {
    clearTimeout(this.#holding);
    this.#holding = undefined;
    this.#answer = undefined;
  }

  #close(): void {
    this.#closing.abort(new Error("The connection was closed."));
    if (this.#answer !== undefined) this.#judge(this.#answer);
  }
}
