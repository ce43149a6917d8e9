import { inspect } from "node:util";

/**
 * A key that templates, JSON, loggers, `util.inspect` and `structuredClone` cannot print; only {@link Secret.reveal}
 * gives the text. It stays a `Secret` from the edge of the process to the place where it is sealed or handed to an SDK.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The key itself. Whoever calls this holds it in the clear: call it where the key leaves for its provider, nowhere else. */
  reveal(): string {
    return this.#text;
  }

  /** The last four characters, or `null` where that would show too much of it: fewer than 20. */
  hint(): string | null {
    return this.#text.length < 20 ? null : this.#text.slice(-4);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

// Assigned rather than declared: isolatedDeclarations refuses a member that is named by a symbol of another module.
Object.defineProperty(Secret.prototype, inspect.custom, { value: () => "[secret]", enumerable: false });
