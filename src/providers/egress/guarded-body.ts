import type { KeyScrubber } from "./key-scrubber.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";

type Chunk = Uint8Array<ArrayBuffer>;
type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Chunk>["read"]>>;

/** Closes the requests whose answers were dropped half read: the runtime does so for its own streams only. */
const dropped = new FinalizationRegistry<ReadableStreamDefaultReader<Chunk>>((reader) => {
  reader.cancel().catch(() => {});
});

export interface GuardedBodyOptions {
  /** The longest that one pending read may take, in milliseconds. */
  readonly limitMs: number;
  /** What a read that takes longer ends with. */
  readonly expiry: () => Error;
  /** What a reader is told of an answer that breaks off. */
  readonly toFailure: (error: unknown) => unknown;
  /** Takes the key out of what is read. Absent: the body passes as it is. */
  readonly scrubber: KeyScrubber | undefined;
}

/**
 * A body whose every pending read has a deadline, and without the key. The timer runs only while a read is pending: a reader
 * that takes its time does not end a healthy stream. Cancelling it closes the request. What cannot be the beginning of a key
 * is passed on as it comes.
 */
export function guardBody(body: ReadableStream<Chunk>, options: GuardedBodyOptions): ReadableStream<Chunk> {
  const { limitMs, expiry, toFailure, scrubber } = options;
  const reader = body.getReader();
  const filter = scrubber === undefined ? undefined : new KeyFilter(scrubber);
  const guarded = new ReadableStream<Chunk>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done, value } = await readWithin(reader, limitMs, expiry);
            const passed = filter === undefined ? value : done ? filter.flush() : filter.push(value);
            if (passed !== undefined && passed.length > 0) controller.enqueue(passed);
            if (done) controller.close();
            if (done || (passed !== undefined && passed.length > 0)) return;
          }
        } catch (error) {
          controller.error(toFailure(error));
          reader.cancel().catch(() => {});
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

/** One timer and no more: it is paid for each chunk of every answer. */
function readWithin(reader: ReadableStreamDefaultReader<Chunk>, limitMs: number, expiry: () => Error): Promise<Read> {
  const { promise, resolve, reject } = Promise.withResolvers<Read>();
  const timer = setTimeout(() => reject(expiry()), limitMs);
  const settled = (): void => clearTimeout(timer);
  const reading = reader.read();
  reading.then(resolve, reject);
  reading.then(settled, settled);
  return promise;
}

/** Takes the key out chunk by chunk. Holds back what may be the beginning of one, and nothing else. */
class KeyFilter {
  readonly #scrubber: KeyScrubber;
  #held = "";

  constructor(scrubber: KeyScrubber) {
    this.#scrubber = scrubber;
  }

  push(chunk: Chunk): Chunk {
    const came = toLatin1(chunk);
    const text = this.#held + came;
    const scrubbed = this.#scrubber.scrub(text);
    const end = this.#scrubber.breakOf(scrubbed);
    this.#held = scrubbed.slice(end);
    return scrubbed === came ? chunk.subarray(0, end) : fromLatin1(scrubbed.slice(0, end));
  }

  flush(): Chunk {
    return fromLatin1(this.#held);
  }
}
