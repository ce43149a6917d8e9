import { Socket } from "node:net";

/** What of a `pg` client says how its backend is cancelled. A pool of another kind may have none of it. */
interface Cancellable {
  readonly processID?: unknown;
  readonly secretKey?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** CancelRequest's own code (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const cancelCode = 80_877_102;
/** The longest that the request's connection lives, in milliseconds: a PgBouncer keeps it for ten seconds at most. */
const limitMs = 15_000;

/**
 * Asks the server to give up what a client's backend is at, on a connection of its own, which needs no credentials and
 * no TLS. Ends when the server has heard it, or cannot be reached; never rejects, and keeps no process alive. The client's
 * own query ends with `57014`, or with its answer.
 */
export async function cancelBackend(client: object): Promise<void> {
  const { processID, secretKey, host, port } = client as Cancellable;
  if (typeof processID !== "number" || typeof secretKey !== "number" || typeof host !== "string") return;
  const socket = new Socket();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => socket.destroy());
  socket.setTimeout(limitMs, () => socket.destroy());
  try {
    socket.connect(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port: Number(port) });
    socket.unref();
    // Left open until the server closes it: PgBouncer 1.18 ends, with everybody's connections, when it is closed here first.
    const request = composeRequest(processID, secretKey);
    socket.write(request);
    socket.resume();
  } catch {
    // A client of another kind: its port is none, or its numbers are of another size.
    socket.destroy();
  }
  await closed;
}

function composeRequest(...identity: readonly [processID: number, secretKey: number]): Buffer {
  const request = Buffer.alloc(16);
  for (const [index, number] of [16, cancelCode, ...identity].entries()) request.writeInt32BE(number, 4 * index);
  return request;
}
