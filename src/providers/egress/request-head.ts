import { dropCredentialProtocols, dropCredentials } from "./foreign-credentials.ts";
import type { ServingKey } from "./key-supply.ts";
import { placeholderPrefix } from "./placeholder.ts";
import type { HeaderRules } from "./request-headers.ts";

/** Of a handshake, and of the way that every request names its length; without extensions, for compression is one. */
const transportHeaders: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "transfer-encoding",
  "upgrade",
]);

/** What is compressed hides a key that comes back in it. */
const compressing = "accept-encoding";

const headEnd = "\r\n\r\n";

/** A request's head as Node wrote it. */
export class RequestHead {
  readonly #method: string;
  readonly #lines: readonly string[];

  constructor(text: string) {
    const [first = "", ...lines] = text.split("\r\n");
    this.#method = first.slice(0, first.indexOf(" "));
    this.#lines = lines;
  }

  /** The head for `url`, with its key and without anybody else's credentials. */
  toString(url: URL, headerRules: HeaderRules, serving: ServingKey): string {
    const path = `${url.pathname}${dropCredentials(url.search)}`;
    const kept = this.#lines.flatMap((line) => keepLine(line, headerRules));
    const shown = headerRules.show(serving).map((header) => header.join(": "));
    return [`${this.#method} ${path} HTTP/1.1`, `Host: ${url.host}`, ...kept, ...shown].join("\r\n");
  }
}

function keepLine(line: string, headerRules: HeaderRules): string[] {
  const end = line.indexOf(":");
  const name = line.slice(0, end).trim().toLowerCase();
  if (name === "sec-websocket-protocol") {
    const listed = line.slice(end + 1).split(",");
    const left = dropCredentialProtocols(listed.map((protocol) => protocol.trim()));
    return left.length === 0 ? [] : [`${line.slice(0, end)}: ${left.join(", ")}`];
  }
  if (name === compressing || line.includes(placeholderPrefix)) return [];
  return transportHeaders.has(name) || headerRules.allows(name) ? [line] : [];
}

/** Node writes a head as one text, alone or with the body's beginning, which may be in another encoding. */
export function splitHead(chunk: string | Uint8Array): [head: string, body: string | Uint8Array] {
  const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
  const end = text.indexOf(headEnd);
  if (end < 0) throw new Error("What was written first is no head of a request.");
  return [text.slice(0, end), chunk.slice(end + headEnd.length)];
}
