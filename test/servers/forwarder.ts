import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A loopback port whose connections go on to another one. */
export interface Forwarder {
  readonly port: number;
  /** Ends every connection; those to come go on to this port, or end at once with `null`. */
  to(port: number | null): void;
  close(): Promise<void>;
}

export async function forwarder(to: number | null): Promise<Forwarder> {
  let target = to;
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
  };
  const server = createServer((incoming) => {
    keep(incoming);
    if (target === null) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(target, "127.0.0.1");
    keep(outgoing);
    for (const socket of [incoming, outgoing]) socket.setNoDelay(true);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.once("close", () => outgoing.destroy());
    outgoing.once("close", () => incoming.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const redirect = (port: number | null): void => {
    target = port;
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    to: redirect,
    async close() {
      redirect(null);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
