import { nodeCrypto } from "./node-crypto.ts";

/** The longest key that is taken, in characters. */
export const maxKeyLength = 512;

/**
 * A key that templates, JSON, loggers, `util.inspect` and `structuredClone` cannot print; only {@link Secret.reveal}
 * gives the text. It stays a `Secret` from the edge of the process to the place where it is sealed or handed to an SDK.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The key itself. The caller holds it in the clear: call it where the key leaves for its provider, nowhere else. */
  reveal(): string {
    return this.#text;
  }

  /**
   * Whether it can travel in a header: 1 to 512 printable ASCII characters. An SDK that is handed anything else prints it
   * in the error that it throws.
   */
  isSendable(): boolean {
    return this.#text.length <= maxKeyLength && /^[\x21-\x7e]+$/u.test(this.#text);
  }

  /** The last four characters, or `null` where that would show too much of it: fewer than 20. */
  hint(): string | null {
    return this.#text.length < 20 ? null : this.#text.slice(-4);
  }

  /** HMAC-SHA-256 of `context` and the text under `hmacKey`, in hexadecimal: tells two keys apart, and gives neither. */
  digest(hmacKey: string, context: string): string {
    return nodeCrypto()
      .createHmac("sha256", hmacKey)
      .update(JSON.stringify([context, this.#text]))
      .digest("hex");
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

/** `util.inspect.custom`, which Node documents to be this symbol; importing `node:util` loads thirty modules of Node's. */
const inspectedAs = Symbol.for("nodejs.util.inspect.custom");

// Assigned rather than declared: isolatedDeclarations refuses a member that is named by such a symbol.
Object.defineProperty(Secret.prototype, inspectedAs, { value: () => "[secret]", enumerable: false });
