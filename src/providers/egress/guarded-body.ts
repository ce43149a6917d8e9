import { systemClock } from "../../clock.ts";
import { within } from "../../deadline.ts";
import type { KeyScrubber } from "./key-scrubber.ts";

/** A line that is longer is passed on in pieces, in characters. */
const maxHeldLine = 65_536;

type Chunk = Uint8Array<ArrayBuffer>;

/** Closes the requests whose answers were dropped half read: the runtime does so for its own streams only. */
const dropped = new FinalizationRegistry<ReadableStreamDefaultReader<Chunk>>((reader) => {
  reader.cancel().catch(() => {});
});

export interface GuardedBodyOptions {
  /** The longest that one pending read may take, in milliseconds. */
  readonly limitMs: number;
  /** What a read that takes longer ends with. */
  readonly expiry: () => Error;
  /** Closes the request after a failure. */
  readonly end: (error: unknown) => void;
  /** Takes the key out of a text. Absent: the body passes as it is. */
  readonly scrubber: KeyScrubber | undefined;
}

/**
 * A body whose every pending read has a deadline, and, if it is a text, without the key. The timer runs only while a read is
 * pending: a reader that takes its time does not end a healthy stream. Cancelling it closes the request. A text is passed on
 * line by line, which no reader of events notices.
 */
export function guardBody(body: ReadableStream<Chunk>, options: GuardedBodyOptions): ReadableStream<Chunk> {
  const { limitMs, expiry, end, scrubber } = options;
  const reader = body.getReader();
  const lines = scrubber === undefined ? undefined : new LineScrubber(scrubber);
  const guarded = new ReadableStream<Chunk>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done, value } = await within(systemClock, limitMs, reader.read(), expiry);
            const passed = lines === undefined ? value : done ? lines.flush() : lines.push(value);
            if (passed !== undefined && passed.length > 0) controller.enqueue(passed);
            if (done) controller.close();
            if (done || (passed !== undefined && passed.length > 0)) return;
          }
        } catch (error) {
          controller.error(error);
          end(error);
        }
      },
      async cancel(reason) {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  dropped.register(guarded, reader);
  return guarded;
}

/** Scrubs whole lines, and of one that is too long everything but what may be the beginning of a key. */
class LineScrubber {
  readonly #scrubber: KeyScrubber;
  #held = "";

  constructor(scrubber: KeyScrubber) {
    this.#scrubber = scrubber;
  }

  push(chunk: Chunk): Chunk {
    // Latin-1 keeps every byte as it is, and a key is ASCII.
    const text = this.#held + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const lineEnd = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
    const isTooLong = text.length - lineEnd > maxHeldLine;
    if (!isTooLong) {
      this.#held = text.slice(lineEnd);
      return this.#toChunk(text.slice(0, lineEnd));
    }
    const scrubbed = this.#scrubber.scrub(text);
    this.#held = scrubbed.slice(-this.#scrubber.span);
    return Buffer.from(scrubbed.slice(0, -this.#scrubber.span), "latin1");
  }

  flush(): Chunk {
    const rest = this.#held;
    this.#held = "";
    return this.#toChunk(rest);
  }

  #toChunk(text: string): Chunk {
    return Buffer.from(this.#scrubber.scrub(text), "latin1");
  }
}
