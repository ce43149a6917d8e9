import type { Socket } from "node:net";
import { ByokError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { awaitSocket } from "./await-socket.ts";

/** A proxy's answer has no more, in bytes. */
const maxHead = 16_384;

const headEnd = "\r\n\r\n";

/** The proxy that sockets leave by. */
export class EgressProxy {
  /** Without a user and a password. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`. */
  readonly #authorization: Secret | undefined;

  private constructor(url: URL, authorization: Secret | undefined) {
    this.url = url;
    this.#authorization = authorization;
  }

  /** @throws ByokError `options_invalid` unless `text` is an `http:` or `https:` URL of a host alone. */
  static parse(text: string): EgressProxy {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isHost = url !== undefined && url.pathname === "/" && !url.search && !url.hash && url.hostname !== "";
    if (!isHost || (url.protocol !== "http:" && url.protocol !== "https:")) {
      const message =
        '"proxy" must be an http or https URL of a host: "http://user:password@proxy.example:3128". Correct the option.';
      throw new ByokError("options_invalid", message);
    }
    const user = decode(url.username);
    const password = decode(url.password);
    const encoded = Buffer.from(`${user}:${password}`).toString("base64");
    url.username = "";
    url.password = "";
    return new EgressProxy(url, user || password ? new Secret(`Basic ${encoded}`) : undefined);
  }

  /** What asks it for a connection to `host`, a name and a port. */
  toConnect(host: string): string {
    const shown = this.#authorization?.reveal();
    const authorization = shown === undefined ? [] : [`Proxy-Authorization: ${shown}`];
    return [`CONNECT ${host} HTTP/1.1`, `Host: ${host}`, ...authorization].join("\r\n") + headEnd;
  }

  unreachable(error: unknown): ByokError {
    const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
    const why = typeof code === "string" ? ` (${code})` : "";
    return new ByokError("provider_failed", `The proxy could not be reached${why}. Check \`proxy\`, then try again.`);
  }

  refused(host: string, status: number): ByokError {
    const isHis = status === 401 || status === 407;
    const next = isHis
      ? "Correct the user and the password of `proxy`."
      : "See that the proxy may reach it, then try again.";
    const message = `The proxy answered ${status} to a connection to ${host}. ${next}`;
    return new ByokError("provider_failed", message, isHis ? { retryable: false } : {});
  }

  broken(host: string): ByokError {
    const message = `The proxy did not answer in HTTP to a connection to ${host}. Check \`proxy\`.`;
    return new ByokError("provider_failed", message);
  }
}

/** Asks the proxy at the other end of `socket` for a connection to `host`, a name and a port. */
export async function tunnelThrough(
  socket: Socket,
  host: string,
  proxy: EgressProxy,
  signal: AbortSignal,
): Promise<void> {
  let head = "";
  const isThrough = (): boolean => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
      head += chunk.toString("latin1");
    const end = head.indexOf(headEnd);
    if (end < 0 && head.length <= maxHead) return false;
    const status = Number(/^HTTP\/1\.[01] (?<status>\d{3})/u.exec(head)?.groups?.["status"] ?? 0);
    if (status >= 200 && status <= 299 && end >= 0 && end + headEnd.length === head.length) return true;
    throw status > 299 ? proxy.refused(host, status) : proxy.broken(host);
  };
  const toFailure = (): ByokError => proxy.broken(host);
  const through = awaitSocket(socket, { event: "readable", isReady: isThrough, toFailure, signal });
  if (!signal.aborted) socket.write(proxy.toConnect(host), "latin1");
  await through;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
