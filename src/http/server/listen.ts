import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { ByokError } from "../../errors.ts";

/** Where a server listens. */
export interface Listening {
  readonly url: string;
  /** Whether other machines may reach it. */
  readonly isExposed: boolean;
}

/** @throws ByokError `options_invalid` */
export async function listen(server: Server, host: string, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(explain(error, host, port));
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return { url: `http://${nameHost(address)}:${bound}`, isExposed: !/^(127\.|::1$|::ffff:127\.)/u.test(address) };
}

const reasons: ReadonlyMap<string, readonly [why: string, next: string]> = new Map([
  ["EADDRINUSE", ["another program listens there", "End it, or choose another port"]],
  ["EACCES", ["this user may not", "Choose a port above 1023"]],
  ["EADDRNOTAVAIL", ["this machine has no such address", "Choose one of its own; 0.0.0.0 is all of them"]],
  ["ENOTFOUND", ["the name leads nowhere", "Choose an address of this machine"]],
]);

function explain(error: Error, host: string, port: number): ByokError {
  const code = "code" in error ? String(error.code) : "no code";
  const [why, next] = reasons.get(code) ?? ["the system refuses", "Choose another address or port"];
  return new ByokError(
    "options_invalid",
    `The server cannot listen on ${nameHost(host)}:${port}: ${why} (${code}). ${next}.`,
  );
}

function nameHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
