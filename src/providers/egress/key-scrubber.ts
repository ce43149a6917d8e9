import type { Secret } from "../../secret.ts";

/** Stands where a key stood. */
const mark = "[key removed]";

/** Shorter texts are no vendor's keys, and stand in half of what is ever said. */
const minLength = 4;

/** The most characters that one character of a key is spelt with: `\\\u0041`. */
const longestSpelling = 8;

/** One character of a key, however it is escaped. */
interface Spellings {
  /** Matches it where its `lastIndex` stands. */
  readonly whole: RegExp;
  /** Matches a text that ends before it or within it. */
  readonly beginning: RegExp;
}

const scrubbers = new WeakMap<Secret, KeyScrubber>();

/**
 * Takes a key out of what comes back: plain, escaped as JSON may escape it, within a JSON text that stands in another one, or
 * percent-encoded.
 */
export class KeyScrubber {
  /** The most characters that the key takes, however it is escaped. */
  readonly span: number;
  readonly #plain: string;
  readonly #pattern: RegExp;
  readonly #characters: readonly Spellings[];
  /** What a spelling of the key may begin with. */
  readonly #first: string;

  private constructor(key: Secret) {
    const text = key.reveal();
    const characters = text.length < minLength ? [] : [...text];
    this.span = text.length * longestSpelling;
    this.#plain = text;
    this.#pattern = characters.length === 0 ? /(?!)/gu : new RegExp(characters.map(spell).join(""), "gu");
    this.#characters = characters.map((one) => ({ whole: new RegExp(spell(one), "yu"), beginning: beginningOf(one) }));
    this.#first = `${text.charAt(0)}\\%`;
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
    return this.#mayHold(text) ? text.replace(this.#pattern, mark) : text;
  }

  isIn(text: string): boolean {
    return this.#mayHold(text) && text.search(this.#pattern) >= 0;
  }

  /** Where a spelling of the key begins that `text` breaks off in; the length of `text` where none does. */
  breakOf(text: string): number {
    if (this.#characters.length === 0) return text.length;
    for (let at = Math.max(0, text.length - this.span); at < text.length; at += 1) {
      if (this.#first.includes(text.charAt(at)) && this.#breaksOff(text, at)) return at;
    }
    return text.length;
  }

  #breaksOff(text: string, from: number): boolean {
    let at = from;
    for (const { whole, beginning } of this.#characters) {
      if (text.length - at < longestSpelling && beginning.test(text.slice(at))) return true;
      whole.lastIndex = at;
      if (!whole.test(text)) return false;
      at = whole.lastIndex;
    }
    return false;
  }

  /** Texts without the key and without an escape, nearly all, are not looked through a second time. */
  #mayHold(text: string): boolean {
    return text.includes(this.#plain) || text.includes("\\") || text.includes("%");
  }
}

/** A key has printable ASCII only. */
function spell(character: string): string {
  const code = anyCase(hexOf(character));
  return `(?:%(?:25)?${code}|\\\\{1,3}u00${code}|\\\\{0,3}${literal(character)})`;
}

function beginningOf(character: string): RegExp {
  const half = anyCase(hexOf(character).charAt(0));
  return new RegExp(`^(?:|%(?:25?)?|%(?:25)?${half}|\\\\{1,3}(?:u(?:0(?:0${half}?)?)?)?)$`, "u");
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/gu, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
}
