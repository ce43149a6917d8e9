import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Connections } from "./connections.ts";

/**
 * Answers what never becomes a request, with the headers that every answer has. Behind requests under way it is not
 * answered: their client would take that for the answer to one of them.
 */
export function answerBrokenRequests(server: Server, connections: Connections): void {
  server.on("clientError", (error: Error & { readonly code?: string }, stream) => {
    const socket = stream as Socket;
    if (connections.endWithOwed(socket)) return;
    if (socket.writable && !connections.hasBegun(socket)) {
      socket.write(describeHead(statuses.get(error.code ?? "") ?? 400));
    }
    socket.destroy();
  });
  server.on("checkExpectation", (_request, response: ServerResponse) => {
    response.writeHead(417, { ...headers, connection: "close" }).end();
  });
}

const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

const statuses: ReadonlyMap<string, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

function describeHead(status: number): string {
  const lines = Object.entries({ ...headers, "content-length": "0", connection: "close" });
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
