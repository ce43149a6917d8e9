import { type ProviderAnswer, toProviderAnswer } from "../refusals/refusal.ts";

/** The most of a body that is read, in bytes. */
const maxBody = 65_536;

/** The longest head, as Node reads them. */
const maxHead = 16_384;

const headEnd = "\r\n\r\n";

/** Reads an answer on its way to the reader that it is for: which status it has, and what of its body says why. */
export class AnswerReader {
  #head = "";
  /** Of announcements, in bytes: they come before the head, and count with it. */
  #announced = 0;
  #isHeadRead = false;
  readonly #body: Buffer[] = [];
  #length = 0;
  #wholeLength = Number.POSITIVE_INFINITY;
  #isChunked = false;
  #tail = "";
  #isWhole = false;
  #status: number | null = null;

  /** `null`: not known, or no answer in HTTP. */
  get status(): number | null {
    return this.#status;
  }

  /** Whether all of it has come, or as much as is read. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What has come after the head; `undefined` while that has not ended. */
  get rest(): Buffer | undefined {
    return this.#isHeadRead ? Buffer.concat(this.#body) : undefined;
  }

  add(bytes: Buffer): void {
    for (let rest: Buffer | undefined = bytes; rest !== undefined && !this.#isWhole; )
      rest = this.#isHeadRead ? this.#addBody(rest) : this.#addHead(rest);
  }

  toAnswer(): ProviderAnswer {
    const raw = Buffer.concat(this.#body);
    return toProviderAnswer(this.#status, (this.#isChunked ? joinChunks(raw) : raw).toString());
  }

  /** What is left for the body, or for another head after one that is only an announcement. */
  #addHead(bytes: Buffer): Buffer | undefined {
    const before = this.#head.length;
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf(headEnd, Math.max(0, before - headEnd.length));
    const status = readStatus(this.#head);
    const isInterim = status !== null && status < 200 && status !== 101;
    this.#status = isInterim ? null : status;
    if (end < 0) {
      this.#isWhole = this.#announced + this.#head.length > maxHead || !mayBeHttp(this.#head);
      return undefined;
    }
    const rest = bytes.subarray(end + headEnd.length - before);
    const head = this.#head.slice(0, end);
    this.#head = "";
    if (isInterim) {
      this.#announced += end;
      return rest;
    }
    this.#isHeadRead = true;
    this.#isWhole = status === null;
    this.#isChunked = /^transfer-encoding:.*\bchunked\b/imu.test(head);
    const length = /^content-length:[ \t]*(\d{1,15})/imu.exec(head)?.[1];
    if (length !== undefined && !this.#isChunked) this.#wholeLength = Number(length);
    return rest;
  }

  #addBody(bytes: Buffer): undefined {
    this.#body.push(bytes);
    this.#length += bytes.length;
    this.#tail = `${this.#tail}${bytes.toString("latin1", Math.max(0, bytes.length - 7))}`.slice(-7);
    const isLast = this.#isChunked && /(?:^|\n)0\r\n\r\n$/u.test(this.#tail);
    this.#isWhole = isLast || this.#length >= Math.min(maxBody, this.#wholeLength);
  }
}

function mayBeHttp(head: string): boolean {
  return "HTTP/1.".startsWith(head.slice(0, 7)) || head.startsWith("HTTP/1.");
}

function readStatus(head: string): number | null {
  const status = /^HTTP\/1\.[01] (?<status>\d{3})/u.exec(head)?.groups?.["status"];
  return status === undefined ? null : Number(status);
}

function joinChunks(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < raw.length; ) {
    const start = raw.indexOf("\r\n", at);
    const length = start < 0 ? Number.NaN : Number.parseInt(raw.toString("latin1", at, start), 16);
    if (!(length > 0)) break;
    parts.push(raw.subarray(start + 2, start + 2 + length));
    at = start + 2 + length + 2;
  }
  return Buffer.concat(parts);
}
