import type { Secret } from "../../secret.ts";

/** Shorter texts are no vendor's keys, and stand in half of what is ever said. */
const minLength = 4;

/** A beginning of a key that is shorter is passed on: it names the vendor, or stands there by chance. */
const minHeld = 8;

const nothing = Buffer.alloc(0);

/**
 * Masks a key in the bytes that come back, in place and as long as it is: frames and answers keep their lengths. Where a
 * chunk ends in what may be a key's beginning, that end waits for the next chunk.
 */
export class AnswerMask {
  readonly #key: Secret;
  /** A short beginning of the key that was passed on last. */
  #passed: Buffer = nothing;
  #held: Buffer = nothing;

  constructor(key: Secret) {
    this.#key = key;
  }

  /** What of `chunk`, and of what was held back before it, may be passed on. */
  mask(chunk: Buffer): Buffer {
    const key = this.#key.reveal();
    if (key.length < minLength) return chunk;
    const start = this.#passed.length;
    const isFirst = start + this.#held.length === 0;
    const bytes = isFirst ? chunk : Buffer.concat([this.#passed, this.#held, chunk]);
    for (let at = bytes.indexOf(key, 0, "latin1"); at >= 0; at = bytes.indexOf(key, at + 1, "latin1")) {
      bytes.fill("*", at, at + key.length);
    }
    const beginning = beginningAtEnd(bytes, key);
    const from = bytes.length - beginning;
    const isHeld = beginning >= Math.min(minHeld, key.length / 2);
    const end = isHeld ? Math.max(start, from) : bytes.length;
    this.#passed = Buffer.from(bytes.subarray(from, end));
    this.#held = Buffer.from(bytes.subarray(end));
    return bytes.subarray(start, end);
  }

  /** What was held back, once nothing more comes. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = nothing;
    return held;
  }
}

/** How many bytes at the end of `bytes` are a beginning of `key`. */
function beginningAtEnd(bytes: Buffer, key: string): number {
  const first = key.charCodeAt(0);
  const from = Math.max(0, bytes.length - key.length + 1);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (key.startsWith(bytes.toString("latin1", at))) return bytes.length - at;
  }
  return 0;
}
