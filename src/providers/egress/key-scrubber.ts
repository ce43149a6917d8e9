import type { Secret } from "../../secret.ts";

/** Stands where a key stood. */
const mark = "[key removed]";

/** Shorter texts are no vendor's keys, and stand in half of what is ever said. */
const minLength = 4;

/** The most characters that one character of a key is escaped to: `\u0041`. */
const longestEscape = 6;

const scrubbers = new WeakMap<Secret, KeyScrubber>();

/** Takes a key out of what comes back, plain, escaped as JSON may escape it, or percent-encoded. */
export class KeyScrubber {
  /** The most characters that the key takes, however it is escaped. */
  readonly span: number;
  readonly #pattern: RegExp;

  private constructor(key: Secret) {
    const text = key.reveal();
    this.span = text.length * longestEscape;
    this.#pattern = text.length < minLength ? /(?!)/gu : new RegExp([...text].map(toAnySpelling).join(""), "gu");
  }

  static of(key: Secret): KeyScrubber {
    let scrubber = scrubbers.get(key);
    if (scrubber === undefined) {
      scrubber = new KeyScrubber(key);
      scrubbers.set(key, scrubber);
    }
    return scrubber;
  }

  scrub(text: string): string {
    return text.replace(this.#pattern, mark);
  }

  isIn(text: string): boolean {
    return text.search(this.#pattern) >= 0;
  }
}

/** A key has printable ASCII only. */
function toAnySpelling(character: string): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
  const anyCase = hex.replace(/[a-f]/gu, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const plain = character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
  return `(?:\\\\?${plain}|\\\\u00${anyCase}|%${anyCase})`;
}
