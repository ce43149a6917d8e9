import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RecordingServer extends AsyncDisposable {
  readonly origin: string;
  readonly arrived: Arrived[];
  /** What answers a request; a JSON object with nothing in it unless a test says otherwise. */
  answer: (request: Arrived, response: ServerResponse) => void;
}

/** A loopback server that keeps what arrives, HTTP requests and websocket upgrades alike. */
export async function recordingServer(): Promise<RecordingServer> {
  const arrived: Arrived[] = [];
  const record = (request: IncomingMessage, body: string): Arrived => {
    const one = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
    arrived.push(one);
    return one;
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    recording.answer(record(request, body), response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    record(request, "");
    socket.send(JSON.stringify({ type: "session.created", session: {} }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const recording: RecordingServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    answer: (_request, response) => response.setHeader("content-type", "application/json").end("{}"),
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recording;
}
