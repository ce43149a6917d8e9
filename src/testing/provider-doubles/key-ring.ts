import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type Account, Accounts } from "./account.ts";
import type { Double, Grant, InProtocol, Refusal } from "./double.ts";

const maxTokens = 1_000;

/** A request, as far as it shows a key. */
export interface Showing {
  readonly kind: "http" | "websocket";
  readonly headers: IncomingHttpHeaders;
  /** Without what stands before every path. */
  readonly path: string;
}

/** The keys that a double accepts, and the tokens that they minted. */
export class KeyRing {
  readonly keys: Map<string, Grant> = new Map();
  readonly #tokens = new Map<string, string>();
  readonly #accounts = new Accounts();
  readonly #double: Double;

  constructor(double: Double) {
    this.#double = double;
  }

  /** What is shown, be it a key or a token. */
  shown(showing: Showing): string | null {
    const { headers } = showing;
    return this.#double.keyOf(headers) ?? this.#double.tokens?.of(headers) ?? this.#inProtocol(showing)?.shown ?? null;
  }

  /** The key that is shown, or the one that minted the token that is shown, on the paths that it opens. */
  keyOf(showing: Showing): string | undefined {
    const { tokens } = this.#double;
    const inProtocol = this.#inProtocol(showing);
    const offered = (as: "key" | "token"): string | undefined =>
      inProtocol?.as.includes(as) ? inProtocol.shown : undefined;
    const key = this.#double.keyOf(showing.headers) ?? offered("key");
    if (key !== undefined && this.keys.has(key)) return key;
    const token = tokens?.of(showing.headers) ?? offered("token") ?? "";
    return tokens?.open.test(showing.path) ? this.#tokens.get(token) : undefined;
  }

  refuse(showing: Showing, needsScope: boolean): Refusal | undefined {
    const { wrongKey, restricted, quotaExceeded, blocked } = this.#double;
    const grant = this.keys.get(this.keyOf(showing) ?? "");
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

  accountOf(showing: Showing): Account {
    const key = this.keyOf(showing) ?? "";
    return this.#accounts.of(key, this.keys.get(key)?.account);
  }

  #inProtocol({ kind, headers, path }: Showing): InProtocol | undefined {
    const { protocols } = this.#double;
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
    return kind === "websocket" && protocols?.open.test(path) ? protocols.of(offered) : undefined;
  }
}
