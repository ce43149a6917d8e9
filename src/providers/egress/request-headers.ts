import { ownProperty } from "../../own-property.ts";
import type { Secret } from "../../secret.ts";
import type { KeyHeader, Vendor } from "./vendor.ts";

/** Headers that describe a request and name nobody. */
const everybodys: readonly string[] = [
  "accept",
  "accept-encoding",
  "accept-language",
  "content-encoding",
  "content-language",
  "content-length",
  "content-type",
  "idempotency-key",
  "range",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-request-id",
];

const bearer: KeyHeader = { name: "authorization", scheme: "Bearer" };

/** Inherits nothing. A class, because objects that are made without a prototype are slow. */
class SentHeaders {}
Object.setPrototypeOf(SentHeaders.prototype, null);

/** Which headers a vendor's requests may carry, and how they show the key. */
export class HeaderRules {
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #key: KeyHeader;

  constructor(vendor: Vendor, more: readonly string[] = []) {
    const listed = [...everybodys, ...more, ...(ownProperty(vendor, "headers") ?? [])];
    this.#names = new Set(listed.filter((name) => !name.endsWith("*")));
    this.#prefixes = listed.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    this.#key = ownProperty(vendor, "keyHeader") ?? bearer;
  }

  /** `name` in lower case. The key's own header is byokit's to set. */
  allows(name: string): boolean {
    if (name === this.#key.name) return false;
    return this.#names.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }

  /** The header that shows `key`, as its name and its value. */
  show(key: Secret): readonly [name: string, value: string] {
    const { name, scheme } = this.#key;
    return [name, scheme === undefined ? key.reveal() : `${scheme} ${key.reveal()}`];
  }

  /** What of `given` a request may carry, and the key. */
  apply(given: RequestInit["headers"], key: Secret): Record<string, string> {
    const headers = new SentHeaders() as Record<string, string>;
    for (const [name, value] of given instanceof Headers ? given : new Headers(given)) {
      if (this.allows(name)) headers[name] = value;
    }
    const [name, shown] = this.show(key);
    headers[name] = shown;
    return headers;
  }
}
