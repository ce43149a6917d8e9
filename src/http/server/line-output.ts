import type { Writable } from "node:stream";

/** The most that waits for a reader, in bytes. */
const maxWaiting = 1_024 * 1_024;

/**
 * Lines on their way to a stream that may have no reader, or a slow one: neither holds anybody up. What waits is bounded;
 * further lines are dropped, counted, and told of in a line of their own as soon as there is room. A stream that is closed
 * (`EPIPE`) gets no more, and the process goes on.
 */
export class LineOutput {
  static readonly #known = new WeakMap<Writable, LineOutput>();
  readonly #stream: Writable;
  #dropped = 0;
  #isClosed = false;

  /** One for each stream, however many servers write to it. */
  static to(stream: Writable): LineOutput {
    const output = LineOutput.#known.get(stream) ?? new LineOutput(stream);
    LineOutput.#known.set(stream, output);
    return output;
  }

  private constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#dropped += 1;
      // A full disk may have room again; a reader that is gone does not come back.
      if (error.code === "EPIPE" || stream.destroyed) this.#isClosed = true;
    });
    stream.on("drain", () => this.#tellOfDropped());
  }

  /** Never throws, and never waits. */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#stream.writableLength > maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#tellOfDropped();
    this.#stream.write(line);
  }

  /** Resolves to whether all is written, `limitMs` later at the latest. */
  async flush(limitMs: number): Promise<boolean> {
    if (this.#isClosed || this.#stream.writableLength === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, limitMs, false);
    this.#stream.write("", () => resolve(true));
    const isWritten = await promise;
    clearTimeout(timer);
    return isWritten;
  }

  #tellOfDropped(): void {
    if (this.#dropped === 0 || this.#isClosed) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#stream.write(`${JSON.stringify({ level: 40, time: Date.now(), dropped, msg: "log lines dropped" })}\n`);
  }
}
