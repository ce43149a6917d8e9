import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import selfsigned from "selfsigned";
import { trust } from "./trust.ts";

/** A TLS server behind a forwarder that keeps what the server says until a test lets it pass. */
export interface SlowTls extends AsyncDisposable {
  readonly origin: string;
  /** The authorization of every request that arrived, and its body. */
  readonly arrived: (readonly [authorization: string | undefined, body: string])[];
  /** Connections whose handshake waits. */
  readonly waiting: number;
  release(): void;
}

const certificate = await selfsigned.generate([{ name: "commonName", value: "127.0.0.1" }], {
  keyType: "ec",
  algorithm: "sha256",
  extensions: [
    { name: "basicConstraints", cA: true },
    { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
  ],
});

export async function slowTls(): Promise<SlowTls> {
  const untrust = trust(certificate.cert);
  const arrived: [string | undefined, string][] = [];
  const sockets = new Set<Socket>();
  let held: (() => void)[] = [];
  let isHeld = true;
  const server = createSecureServer({ key: certificate.private, cert: certificate.cert }, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    arrived.push([request.headers.authorization, body]);
    response.setHeader("content-type", "application/json").end("{}");
  });
  const port = await listen(server);
  const forwarder = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
    near.pipe(far);
    far.once("readable", () => {
      const pass = (): void => void far.pipe(near);
      if (isHeld) held.push(pass);
      else pass();
    });
  });
  const origin = `https://127.0.0.1:${await listen(forwarder)}`;
  return {
    origin,
    arrived,
    get waiting() {
      return held.length;
    },
    release() {
      isHeld = false;
      for (const pass of held) pass();
      held = [];
    },
    async [Symbol.asyncDispose]() {
      untrust();
      for (const socket of sockets) socket.destroy();
      await Promise.all([server, forwarder].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
