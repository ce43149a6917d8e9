import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A loopback port whose connections go on to another one. */
export interface Forwarder {
  readonly port: number;
  /** Ends every connection; those to come go on to this port, or end at once with `null`. */
  to(port: number | null): void;
  /** Connections to come go on to this port; those that are open stay as they are. */
  sendNewTo(port: number): void;
  /** Connections that are open lose their other end and are not told, as behind a NAT that forgot them. New ones work. */
  forget(): void;
  /** From now on connections are taken and nothing passes, as where a network has lost its state; nothing is ended. */
  fallSilent(): void;
  /** Connections to come pass again. Those that fell silent stay so. */
  pass(): void;
  /** How many connections were taken. */
  readonly taken: number;
  close(): Promise<void>;
}

/** `delayMs`: how long everything is on its way, in each direction. */
export async function forwarder(to: number | null, delayMs = 0): Promise<Forwarder> {
  let target = to;
  let taken = 0;
  let isSilent = false;
  const open = new Set<Socket>();
  const ends: (() => void)[] = [];
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
  };
  const server = createServer((incoming) => {
    keep(incoming);
    taken += 1;
    if (isSilent) return;
    if (target === null) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(target, "127.0.0.1");
    keep(outgoing);
    for (const socket of [incoming, outgoing]) socket.setNoDelay(true);
    if (delayMs === 0) incoming.pipe(outgoing).pipe(incoming);
    else incoming.pipe(delayed(delayMs)).pipe(outgoing).pipe(delayed(delayMs)).pipe(incoming);
    const hangUp = (): void => {
      if (!isSilent) incoming.destroy();
    };
    incoming.once("close", () => outgoing.destroy());
    outgoing.once("close", hangUp);
    ends.push(() => {
      outgoing.off("close", hangUp);
      outgoing.unpipe(incoming);
      incoming.unpipe(outgoing);
      incoming.resume();
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const redirect = (port: number | null): void => {
    target = port;
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    to: redirect,
    sendNewTo(port) {
      target = port;
    },
    forget() {
      for (const end of ends.splice(0)) end();
    },
    fallSilent() {
      isSilent = true;
      for (const socket of open) socket.unpipe().pause();
    },
    pass() {
      isSilent = false;
    },
    get taken() {
      return taken;
    },
    async close() {
      redirect(null);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function delayed(delayMs: number): Transform {
  return new Transform({ transform: (chunk, _encoding, done) => void setTimeout(done, delayMs, null, chunk) });
}
