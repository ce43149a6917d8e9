import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Misbehaviour, sendJson } from "./double.ts";
import { refuseUpgrade } from "./faulty-answer.ts";

/** Misbehaves in place of an answer; `false` where there is no cause to. */
export function misbehave(cause: Misbehaviour | null, request: IncomingMessage, response: ServerResponse): boolean {
  if (cause === null) return false;
  const { stall, status, redirectTo, dropSocket } = cause;
  if (dropSocket) request.socket.destroy();
  else if (redirectTo !== undefined) response.writeHead(307, { location: redirectTo }).end();
  else if (status !== undefined) sendJson(response, { error: { message: `The double answers ${status}.` } }, status);
  else if (stall === "body") response.writeHead(200, { "content-type": "application/json" }).write("{");
  return true;
}

/** The same for a handshake. */
export function misbehaveAtUpgrade(cause: Misbehaviour | null, socket: Duplex): boolean {
  const { stall, status, redirectTo: location, dropSocket } = cause ?? {};
  if (dropSocket) socket.destroy();
  else if (location !== undefined) refuseUpgrade(socket, { status: 307, body: {}, headers: { location } });
  else if (status !== undefined) refuseUpgrade(socket, { status, body: {} });
  return dropSocket === true || location !== undefined || status !== undefined || stall !== undefined;
}
