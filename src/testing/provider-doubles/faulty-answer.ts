import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Double, type Refusal, sendJson } from "./double.ts";
import type { Happening } from "./fault.ts";

interface Answer extends Refusal {
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a fault answers in place of the double; nothing where it does not. */
function answerOf({ status, headers, body, refusal }: Happening, double: Double): Answer | undefined {
  if (refusal !== undefined) return double[refusal];
  if (status === undefined) return undefined;
  const said = body ?? { error: { message: `The double answers ${status}.` } };
  return { status, body: said, ...(headers === undefined ? {} : { headers }) };
}

/** Answers as a fault wants it; `false` where the double answers, and is cut at most. */
export function answerFaultily(happening: Happening, double: Double, response: ServerResponse): boolean {
  const answer = answerOf(happening, double);
  const { stall, dripMs, cutAfter, paceMs } = happening;
  if (answer !== undefined) sendAnswer(answer, response);
  else if (stall === "body") response.writeHead(200, { "content-type": "application/json" }).write("{");
  else if (dripMs !== undefined) {
    response.writeHead(200, { "content-type": "application/json" }).write("{");
    dripInto(response, dripMs, " ");
  } else if (cutAfter !== undefined) cutAnswer(response, cutAfter);
  else if (paceMs !== undefined) paceAnswer(response, paceMs);
  return answer !== undefined || stall !== undefined || dripMs !== undefined;
}

/** The same for a handshake. */
export function upgradeFaultily(happening: Happening, double: Double, socket: Duplex): boolean {
  const answer = answerOf(happening, double);
  const { stall, dripMs } = happening;
  if (answer !== undefined) refuseUpgrade(socket, answer);
  else if (stall === "body") socket.write("HTTP/1.1 101 Switching Protocols\r\n");
  else if (dripMs !== undefined) {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nx-drip: ");
    dripInto(socket, dripMs, "x");
  }
  return answer !== undefined || stall !== undefined || dripMs !== undefined;
}

export function refuseUpgrade(socket: Duplex, { status, body, headers = {} }: Answer): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    "content-type": "application/json",
    ...headers,
    "content-length": Buffer.byteLength(text),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join("")}\r\n${text}`);
}

function sendAnswer({ status, body, headers }: Answer, response: ServerResponse): void {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (typeof body === "string") response.writeHead(status).end(body);
  else sendJson(response, body, status);
}

function dripInto(target: Duplex | ServerResponse, everyMs: number, drop: string): void {
  const timer = setInterval(() => target.write(drop), everyMs);
  target.once("close", () => clearInterval(timer));
}

/** Who waits until a piece is written waits as long; not beyond the end of the connection. */
function paceAnswer(response: ServerResponse, paceMs: number): void {
  const write = response.write.bind(response) as (piece: unknown, whenWritten: () => void) => boolean;
  response.write = (piece: unknown, ...rest: unknown[]) =>
    write(piece, () => {
      const done = rest.at(-1) as () => void;
      const timer = setTimeout(() => {
        response.off("close", stop);
        done();
      }, paceMs);
      const stop = (): void => {
        clearTimeout(timer);
        done();
      };
      response.once("close", stop);
    });
}

/** What was written before is still sent. */
function cutAnswer(response: ServerResponse, afterPieces: number): void {
  const { socket } = response;
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  let left = afterPieces;
  const cut = (): void => socket?.destroySoon();
  if (left === 0) cut();
  response.write = (...args: unknown[]) => {
    const whenWritten = args.at(-1);
    if (left <= 0) {
      if (typeof whenWritten === "function") setImmediate(whenWritten as () => void);
      return false;
    }
    left -= 1;
    const isWritten = write(...args);
    if (left === 0) cut();
    return isWritten;
  };
  response.end = (...args: unknown[]) => {
    if (typeof args[0] !== "function" && args[0] !== undefined) response.write(...(args as [string]));
    cut();
    return response;
  };
}
