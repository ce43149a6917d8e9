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
  readonly #borders: Uint16Array;
  /** A short beginning of the key that was passed on last. */
  #passed: Buffer = nothing;
  #held: Buffer = nothing;

  constructor(key: Secret) {
    this.#key = key;
    this.#borders = bordersOf(key.reveal());
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
    const beginning = beginningAtEnd(bytes, key, this.#borders);
    const from = bytes.length - beginning;
    const isHeld = beginning >= Math.min(minHeld, key.length / 2);
    const end = isHeld ? Math.max(start, from) : bytes.length;
    this.#passed = copy(bytes, from, end);
    this.#held = copy(bytes, end, bytes.length);
    return bytes.subarray(start, end);
  }

  /** What was held back, once nothing more comes. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = nothing;
    return held;
  }
}

function copy(bytes: Buffer, from: number, end: number): Buffer {
  return from >= end ? nothing : Buffer.from(bytes.subarray(from, end));
}

/**
 * How many bytes at the end of `bytes` are a beginning of `key`, by Knuth, Morris and Pratt: texts repeat a key's first
 * letters all the time.
 */
function beginningAtEnd(bytes: Buffer, key: string, borders: Uint16Array): number {
  let matched = 0;
  for (let at = Math.max(0, bytes.length - key.length + 1); at < bytes.length; at += 1) {
    const byte = bytes[at];
    while (matched > 0 && key.charCodeAt(matched) !== byte) matched = borders[matched - 1] ?? 0;
    if (key.charCodeAt(matched) === byte) matched += 1;
  }
  return matched;
}

/** For each beginning of `key`, how long a shorter one is that it ends with. */
function bordersOf(key: string): Uint16Array {
  const borders = new Uint16Array(key.length);
  let matched = 0;
  for (let at = 1; at < key.length; at += 1) {
    while (matched > 0 && key[matched] !== key[at]) matched = borders[matched - 1] ?? 0;
    if (key[matched] === key[at]) matched += 1;
    borders[at] = matched;
  }
  return borders;
}
