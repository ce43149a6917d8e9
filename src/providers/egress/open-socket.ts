import { connect as connectPlainly, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

/** Opens a connection to the host of `url`, TLS included. Plain only for `http:` and `ws:`, which only loopback may have. */
export async function openSocket(url: URL, limitMs: number, expiry: () => Error): Promise<Socket> {
  const isSecure = url.protocol === "https:" || url.protocol === "wss:";
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  const port = Number(url.port || (isSecure ? 443 : 80));
  const socket = isSecure
    ? connectSecurely({ host, port, servername: isIP(host) === 0 ? host : "", ALPNProtocols: ["http/1.1"] })
    : connectPlainly({ host, port });
  const opened = Promise.withResolvers<void>();
  const timer = setTimeout(() => opened.reject(expiry()), limitMs);
  socket.once(isSecure ? "secureConnect" : "connect", opened.resolve);
  socket.once("error", opened.reject);
  try {
    await opened.promise;
    return socket;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    socket.off("error", opened.reject);
  }
}
