import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Double, Grant, Refusal } from "./double.ts";

const maxTokens = 1_000;

/** The keys that a double accepts, and the tokens that they minted. */
export class KeyRing {
  readonly keys: Map<string, Grant> = new Map();
  readonly #tokens = new Map<string, string>();
  readonly #double: Double;

  constructor(double: Double) {
    this.#double = double;
  }

  /** What is shown, be it a key or a token. */
  shown(headers: IncomingHttpHeaders): string | null {
    return this.#double.keyOf(headers) ?? this.#double.tokens?.of(headers) ?? null;
  }

  /** The key that is shown, or the one that minted the token that is shown, on the paths that it opens. */
  keyOf(headers: IncomingHttpHeaders, path: string): string | undefined {
    const { tokens } = this.#double;
    const key = this.#double.keyOf(headers);
    if (key !== undefined && this.keys.has(key)) return key;
    return tokens?.open.test(path) ? this.#tokens.get(tokens.of(headers) ?? "") : undefined;
  }

  refuse(headers: IncomingHttpHeaders, path: string, needsScope: boolean): Refusal | undefined {
    const { wrongKey, restricted, quotaExceeded, blocked } = this.#double;
    const grant = this.keys.get(this.keyOf(headers, path) ?? "");
    if (grant === undefined) return wrongKey;
    if (grant.blocked) return blocked;
    if (grant.quotaExceeded) return quotaExceeded;
    return grant.restricted && needsScope ? restricted : undefined;
  }

  mint(key: string, prefix: string): string {
    const token = `${prefix}${randomUUID()}`;
    this.#tokens.set(token, key);
    for (const oldest of this.#tokens.keys()) if (this.#tokens.size > maxTokens) this.#tokens.delete(oldest);
    return token;
  }
}
