import { connect } from "node:net";

/** What of a `pg` client says how its backend is cancelled. A pool of another kind may have none of it. */
interface Cancellable {
  readonly processID?: unknown;
  readonly secretKey?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** CancelRequest's own code (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const cancelCode = 80_877_102;
/** The longest that the request's connection lives, in milliseconds. */
const limitMs = 2_000;

/**
 * Asks the server to give up what a client's backend is at, on a connection of its own, which needs no credentials and
 * no TLS. Nothing is heard of it: the client's own query ends with `57014`, or with its answer.
 */
export function cancelBackend(client: object): void {
  const { processID, secretKey, host, port } = client as Cancellable;
  if (typeof processID !== "number" || typeof secretKey !== "number" || typeof host !== "string") return;
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(cancelCode, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const at = host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port: Number(port) };
  // Left open until the server closes it: PgBouncer 1.18 ends, with everybody's connections, when it is closed here first.
  const socket = connect(at, () => socket.write(request));
  socket.resume();
  socket.unref();
  socket.setTimeout(limitMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
}
