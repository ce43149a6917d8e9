import { ByokError } from "../../errors.ts";
import { ownProperty } from "../../own-property.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Vendor } from "./vendor.ts";

type Transport = keyof Endpoint;

/** Path segments that lead elsewhere: `..` and `.`, spelt out or percent-encoded. */
const dotSegment = /(?:^|[/\\])(?:\.|%2e){1,2}(?=[/\\]|$)/iu;

/** What a URL's parser drops before it looks: tabs and newlines anywhere, blanks and control characters at its ends. */
const unseen = /[\t\n\r]|^[\0-\x20]+|[\0-\x20]+$/gu;

/**
 * Aims a vendor's requests at the host that serves. SDKs and frameworks are built on one base URL; the key may belong to
 * another one, and to a third after a change of region. So the longest base URL that is known of the vendor is taken off,
 * and the serving one put before the rest.
 */
export class Aim {
  readonly #id: string;
  readonly #default: Endpoint;
  readonly #known: Readonly<Record<Transport, readonly string[]>>;
  readonly #own: Readonly<Record<Transport, readonly string[]>>;

  constructor(vendor: Vendor) {
    const { endpoint } = vendor;
    const others = ownProperty(vendor, "otherHosts") ?? [];
    const all = [endpoint, ...others, ...Object.values(ownProperty(vendor, "regions") ?? {})];
    const longestFirst = (transport: Transport): string[] =>
      all.map((one) => one[transport]).toSorted((a, b) => b.length - a.length);
    this.#id = vendor.id;
    this.#default = endpoint;
    this.#known = { baseUrl: longestFirst("baseUrl"), websocketUrl: longestFirst("websocketUrl") };
    this.#own = {
      baseUrl: others.map(({ baseUrl }) => baseUrl),
      websocketUrl: others.map(({ websocketUrl }) => websocketUrl),
    };
  }

  /**
   * Where the request for `url` goes. `before`: what served when it was called.
   *
   * @throws ByokError `host_refused` unless it is of the vendor's or of the serving host's, and without dot segments.
   */
  at(url: string, serving: Endpoint, transport: Transport, before: Endpoint = serving): string {
    if (hasDotSegment(url)) throw this.#refuse("a path with dot segments");
    const parsed = URL.parse(url);
    if (parsed === null) throw this.#refuse("another host");
    const given = parsed.href;
    const base = serving[transport];
    if (isUnder(given, base)) return given;
    const isDefault = base === this.#default[transport];
    if (isDefault && this.#own[transport].some((own) => isUnder(given, own))) return given;
    const known = [before[transport], ...this.#known[transport]].find((one) => isUnder(given, one));
    const aimed = known === undefined ? given : `${base}${given.slice(known.length)}`;
    if (!isUnder(aimed, new URL(base).origin)) throw this.#refuse("another host");
    return aimed;
  }

  #refuse(what: string): ByokError {
    const message = `A request for "${this.#id}" was to go to ${what}, and did not leave. Use paths of its own host only.`;
    return new ByokError("host_refused", message, { provider: this.#id });
  }
}

/** Whether `url`, as it was written, leads to another path than it shows. */
export function hasDotSegment(url: string): boolean {
  const seen = url.replace(unseen, "");
  const end = seen.search(/[?#]/u);
  return dotSegment.test(end < 0 ? seen : seen.slice(0, end));
}

/** Whether `url` is `base` or continues it by a path, a query or a fragment. */
function isUnder(url: string, base: string): boolean {
  return url.startsWith(base) && (url.length === base.length || "/?#".includes(url.charAt(base.length)));
}
