import { connect as connectPlainly, isIP, type Socket } from "node:net";
import { connect as connectSecurely, createSecureContext } from "node:tls";
import { awaitSocket } from "./await-socket.ts";
import { type EgressProxy, tunnelThrough } from "./egress-proxy.ts";

export interface Way {
  /** `undefined`: straight to the host. */
  readonly proxy: EgressProxy | undefined;
  /** Ends it; what it rejects with is its reason. */
  readonly signal: AbortSignal;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/u;

/**
 * Opens a connection to the host of `url`, TLS included. Plain only for `http:` and `ws:`, which only loopback may have; and
 * loopback never through a proxy.
 */
export async function openSocket(url: URL, { proxy, signal }: Way): Promise<Socket> {
  const { host, port, isSecure } = readHost(url);
  if (proxy === undefined || loopback.test(host)) {
    const plain = await openPlain(host, port, signal);
    return isSecure ? await secure(plain, host, signal) : plain;
  }
  const toProxy = await reach(proxy, signal);
  await tunnelThrough(toProxy, `${url.hostname}:${port}`, proxy, signal);
  return isSecure ? await secure(toProxy, host, signal) : toProxy;
}

async function reach(proxy: EgressProxy, signal: AbortSignal): Promise<Socket> {
  const { host, port, isSecure } = readHost(proxy.url);
  try {
    const plain = await openPlain(host, port, signal);
    return isSecure ? await secure(plain, host, signal) : plain;
  } catch (error) {
    throw signal.aborted ? error : proxy.unreachable(error);
  }
}

function readHost(url: URL): { readonly host: string; readonly port: number; readonly isSecure: boolean } {
  const isSecure = url.protocol === "https:" || url.protocol === "wss:";
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  return { host, port: Number(url.port || (isSecure ? 443 : 80)), isSecure };
}

async function openPlain(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  // Without a prototype: Node reads a `path`, a `lookup` and more that was not given here.
  const socket = connectPlainly(Object.assign(Object.create(null), { host, port, noDelay: true }));
  return await opened(socket, "connect", signal);
}

async function secure(plain: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  plain.on("error", () => {});
  const socket = connectSecurely(
    Object.assign(Object.create(null), {
      socket: plain,
      host,
      servername: isIP(host) === 0 ? host : "",
      ALPNProtocols: ["http/1.1"],
      secureContext: createSecureContext(Object.create(null)),
    }),
  );
  return await opened(socket, "secureConnect", signal);
}

async function opened(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<Socket> {
  const toFailure = (error: Error | undefined): Error =>
    error ?? new Error("The connection was closed before it was open.");
  await awaitSocket(socket, { event, toFailure, signal });
  return socket;
}
