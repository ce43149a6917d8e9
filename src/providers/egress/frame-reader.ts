/** The most of a text that is read, in bytes: what is longer is no refusal. */
const maxText = 16_384;

const nothing = Buffer.alloc(0);

export interface FrameListener {
  /** A message is whole; `undefined`: it is no text, or too long to be read. */
  onMessage(text: Buffer | undefined): void;
  onClose(code: number, reason: string): void;
}

/**
 * Reads a server's frames on their way to the socket that they are for. Payloads are skipped, but for short texts and closes; what is no frame,
 * masked or compressed, ends the reading.
 */
export class FrameReader {
  readonly #listener: FrameListener;
  /** A frame's head that is not whole yet. */
  #head: Buffer = nothing;
  #isLost = false;
  /** Of the frame's payload, in bytes. */
  #left = 0;
  #opcode = 0;
  #isFinal = false;
  #isText = false;
  /** Of the text, or of the close, that is being read. */
  #parts: Buffer[] = [];
  #length = 0;
  #close: Buffer = nothing;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.#isLost; ) {
      at += this.#left === 0 ? this.#readHead(bytes, at) : this.#readPayload(bytes, at);
    }
  }

  /** How many bytes of it were read. */
  #readHead(bytes: Buffer, at: number): number {
    const before = this.#head.length;
    const seen = bytes.subarray(at, at + 10 - before);
    const head = before === 0 ? seen : Buffer.concat([this.#head, seen]);
    const [first = 0, second = 0] = head;
    const short = second & 0x7f;
    const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (head.length < 2 || head.length < headLength) {
      this.#head = Buffer.from(head);
      return seen.length;
    }
    this.#head = nothing;
    this.#left = short === 127 ? Number(head.readBigUInt64BE(2)) : short === 126 ? head.readUInt16BE(2) : short;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & 0x80) !== 0;
    const isControl = this.#opcode >= 8;
    const isKnown = this.#opcode <= 2 || (isControl && this.#opcode <= 10 && short < 126);
    this.#isLost = !isKnown || (first & 0x70) !== 0 || second >= 0x80;
    if (this.#opcode === 1 || this.#opcode === 2) this.#begin(this.#opcode === 1);
    if (isControl) this.#close = nothing;
    if (this.#left === 0 && !this.#isLost) this.#end();
    return headLength - before;
  }

  #readPayload(bytes: Buffer, at: number): number {
    const part = bytes.subarray(at, at + this.#left);
    this.#left -= part.length;
    if (this.#opcode === 8) this.#close = Buffer.concat([this.#close, part]);
    else if (this.#opcode < 8 && this.#isText) {
      this.#length += part.length;
      if (this.#length <= maxText) this.#parts.push(part);
      else this.#begin(false);
    }
    if (this.#left === 0) this.#end();
    return part.length;
  }

  #begin(isText: boolean): void {
    this.#isText = isText;
    this.#parts = [];
    this.#length = 0;
  }

  #end(): void {
    if (this.#opcode === 8) {
      const code = this.#close.length < 2 ? 1005 : this.#close.readUInt16BE(0);
      this.#listener.onClose(code, this.#close.toString("utf8", 2));
    } else if (this.#opcode < 8 && this.#isFinal) {
      const [only, ...more] = this.#parts;
      const text = more.length === 0 ? (only ?? nothing) : Buffer.concat(this.#parts);
      const isText = this.#isText;
      this.#begin(false);
      this.#listener.onMessage(isText ? text : undefined);
    }
  }
}
