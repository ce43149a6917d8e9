import { ByokError } from "../errors.ts";
import type { Environment } from "./environment.ts";

export interface ServerUrlForm {
  readonly scheme: RegExp;
  /** How a right one looks. */
  readonly example: string;
}

const special = "In its user and password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25";

type Flaw = readonly [isThere: (text: string, url: URL | undefined) => boolean, what: string, next?: string];

const flaws: readonly Flaw[] = [
  [(text) => text.split("://").length > 2, "holds more than one URL"],
  [(text) => !/^[a-z]+:\/\//iu.test(text), "lacks the // of a URL"],
  [(text) => /\s/u.test(text), "holds a space"],
  [(text) => /%(?![\da-f]{2})/iu.test(text) || !canDecode(text), "has a % that encodes nothing", special],
  [
    (text, url) => url === undefined || url.port === "0" || hasLostPort(text),
    "is malformed",
    `Its port is a number from 1 to 65535. ${special}`,
  ],
  [(_, url) => hasSplitPassword(url), "is malformed", special],
  [(_, url) => url?.hostname.includes(",") === true, "names more than one host"],
  [(_, url) => url?.hostname === "" && !url.searchParams.has("host"), "names no host"],
];

/**
 * The URL of a server.
 *
 * @throws ByokError `options_invalid` that names the variable and what is wrong with it, and repeats nothing of it.
 */
export function readServerUrl(name: keyof Environment, text: string, { scheme, example }: ServerUrlForm): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const flaw: Flaw | undefined = scheme.test(text)
    ? flaws.find(([isThere]) => isThere(text, url))
    : [() => true, "has another scheme"];
  if (flaw === undefined && url !== undefined) return url;
  const [, what, next = "Correct it"] = flaw ?? [];
  throw new ByokError("options_invalid", `${name} ${what}. ${next}. Its form is ${example}`);
}

/** An unencoded `/`, `?` or `#` in a password ends the host early, and leaves the rest of the password behind it. */
function hasSplitPassword(url: URL | undefined): boolean {
  return url !== undefined && /[#@]/u.test(`${url.pathname}${url.search}${url.hash}`);
}

/** `host:` with nothing behind it, where a variable was to be. */
function hasLostPort(text: string): boolean {
  return /^[^/]+:\/\/[^/?#]*:(?:[/?#]|$)/u.test(text);
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
