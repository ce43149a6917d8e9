import { type AccountField, accountFields } from "../../key-account.ts";
import { copyOwn, ownProperty } from "../../own-property.ts";
import type { ServingKey } from "./key-supply.ts";
import type { AccountHeaders, KeyHeader, Vendor } from "./vendor.ts";

/** Headers that describe a request and identify no one. */
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

/** What a request shows of the key that serves it. */
type ShownKey = Pick<ServingKey, "key" | "account">;
type Header = readonly [name: string, value: string];

/** Which headers a vendor's requests may carry, and how they show the key and its account. */
export class HeaderRules {
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #key: KeyHeader;
  readonly #account: AccountHeaders;
  /** What byokit alone sets. */
  readonly #own: ReadonlySet<string>;

  constructor(vendor: Vendor, more: readonly string[] = []) {
    const listed = [...everybodys, ...more, ...(ownProperty(vendor, "headers") ?? [])];
    this.#names = new Set(listed.filter((name) => !name.endsWith("*")));
    this.#prefixes = listed.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    this.#key = ownProperty(vendor, "keyHeader") ?? bearer;
    this.#account = copyOwn(ownProperty(vendor, "accountHeaders") ?? {});
    this.#own = new Set([this.#key.name, ...Object.values(this.#account)].filter((name) => name !== undefined));
  }

  /** `name` in lower case. The headers of the key and of its account are byokit's to set. */
  allows(name: string): boolean {
    if (this.#own.has(name)) return false;
    return this.#names.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }

  /** The headers that show a key and the account that it works for. */
  show({ key, account }: ShownKey): readonly Header[] {
    const { name, scheme } = this.#key;
    const shown: Header = [name, scheme === undefined ? key.reveal() : `${scheme} ${key.reveal()}`];
    if (account === null) return [shown];
    const showField = (field: AccountField): Header[] => {
      const [header, id] = [this.#account[field], account[field]];
      return header === undefined || id === null ? [] : [[header, id]];
    };
    return [shown, ...accountFields.flatMap(showField)];
  }

  /** What of `given` a request may carry, and what shows the key. */
  apply(given: RequestInit["headers"], serving: ShownKey): Record<string, string> {
    const headers = new SentHeaders() as Record<string, string>;
    for (const [name, value] of given instanceof Headers ? given : new Headers(given)) {
      if (this.allows(name)) headers[name] = value;
    }
    for (const [name, value] of this.show(serving)) headers[name] = value;
    return headers;
  }
}
