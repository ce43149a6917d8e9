import type { Socket } from "node:net";
import type { Secret } from "../../secret.ts";
import { dropCredentialProtocols, dropCredentials } from "./foreign-credentials.ts";
import type { HeaderRules } from "./request-headers.ts";

/** Of a handshake, and of the way that every request's head names its host and its length. */
const transportHeaders: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "transfer-encoding",
  "upgrade",
]);

const headEnd = "\r\n\r\n";

/** A request's head as Node wrote it. */
class RequestHead {
  readonly #method: string;
  readonly #lines: readonly string[];

  constructor(text: string) {
    const [first = "", ...lines] = text.split("\r\n");
    this.#method = first.slice(0, first.indexOf(" "));
    this.#lines = lines;
  }

  /** The head for `url`, with its key and without anybody else's credentials. */
  toString(url: URL, headerRules: HeaderRules, key: Secret): string {
    const lines = this.#lines.flatMap((line) => keepLine(line, url, headerRules));
    const path = `${url.pathname}${dropCredentials(url.search)}`;
    return [`${this.#method} ${path} HTTP/1.1`, ...lines, headerRules.show(key).join(": ")].join("\r\n");
  }
}

function keepLine(line: string, { host }: URL, headerRules: HeaderRules): string[] {
  const end = line.indexOf(":");
  const name = line.slice(0, end).trim().toLowerCase();
  if (name === "host") return [`Host: ${host}`];
  if (name === "sec-websocket-protocol") {
    const left = dropCredentialProtocols(
      line
        .slice(end + 1)
        .split(",")
        .map((protocol) => protocol.trim()),
    );
    return left.length === 0 ? [] : [`${line.slice(0, end)}: ${left.join(", ")}`];
  }
  return transportHeaders.has(name) || headerRules.allows(name) ? [line] : [];
}

/**
 * Rewrites what is written first on `socket`, a request's head, in the turn in which it goes out. What `rewrite` throws
 * destroys the socket, and nothing is sent. From then on the key is masked in whatever comes back, in place: an error of the
 * answer's parser holds the bytes that came, and servers echo.
 */
export function writeHead(
  socket: Socket,
  rewrite: (head: RequestHead) => { readonly head: string; readonly key: Secret },
): Socket {
  const { write } = socket;
  const writeFirst = function (this: Socket, chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
    const end = text.indexOf(headEnd);
    let rewritten: string;
    try {
      const { head, key } = rewrite(new RequestHead(text.slice(0, end)));
      rewritten = `${head}${text.slice(end)}`;
      maskAnswers(socket, key);
    } catch (error) {
      socket.destroy(error as Error);
      return false;
    }
    Reflect.deleteProperty(socket, "write");
    const callback = typeof encoding === "function" ? encoding : done;
    return (write as (text: string, encoding: string, done: unknown) => boolean).call(
      socket,
      rewritten,
      "latin1",
      callback,
    );
  };
  Object.defineProperty(socket, "write", { value: writeFirst, configurable: true, writable: true });
  return socket;
}

/** In place and as long as the key: frames and answers keep their lengths. */
function maskAnswers(socket: Socket, key: Secret): void {
  const { push } = socket;
  const mask = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (Buffer.isBuffer(chunk)) {
      const shown = key.reveal();
      for (let at = chunk.indexOf(shown); at >= 0; at = chunk.indexOf(shown, at))
        chunk.fill("*", at, at + shown.length);
    }
    return push.call(socket, chunk, encoding);
  };
  Object.defineProperty(socket, "push", { value: mask, configurable: true, writable: true });
}
