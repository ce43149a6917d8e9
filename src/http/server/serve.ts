import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ByokError, isByokError } from "../../errors.ts";
import { positiveMs } from "../../options.ts";
import { createDescribedHandler, type Handler, type HandlerOptions } from "../create-handler.ts";
import { createNodeListener } from "../node-listener.ts";
import { makeProblem } from "../request-problem.ts";
import { Connections } from "./connections.ts";
import { Readiness } from "./readiness.ts";

export interface ServeOptions extends Omit<HandlerOptions, "onError"> {
  /** @default "127.0.0.1", which only this machine reaches */
  readonly host?: string;
  /** 0 takes any that is free. @default 8787 */
  readonly port?: number;
  /** Rejects while the service cannot answer: `GET /readyz` then says 503. @default always ready */
  readonly ready?: () => Promise<unknown>;
  /** One line a request, with its organisation and actor. A `pino` logger fits. @default JSON lines on standard output */
  readonly logger?: RequestLogger;
  /** How long `close()` waits for requests under way. @default 10_000 */
  readonly shutdownMs?: number;
}

export interface RequestLogger {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** Takes no more requests, lets those under way end, and closes. */
  close(): Promise<void>;
}

const maxConnections = 1_000;

/**
 * The management API on `node:http`, with `GET /healthz` (the process lives), `GET /readyz` (it can answer), request ids
 * and a log: for trying, for tests and for small installations. Platforms mount `createHandler` in their own API.
 *
 * @throws ByokError `options_invalid`, as when the port is taken.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8_787, basePath = "", ready, ...rest } = options;
  const shutdownMs = positiveMs("shutdownMs", options.shutdownMs ?? 10_000);
  const logger = options.logger ?? (await import("pino")).pino();
  const onError = (error: unknown): void => logger.error(describeError(error), "failed");
  const readiness = new Readiness(ready ?? (async () => {}));
  const api = createDescribedHandler({ ...rest, basePath, onError });
  const probes = new Map([
    ["/healthz", async () => true],
    ["/readyz", () => readiness.isReady()],
  ]);
  /** Paths, each with how it is logged. No other is: people put keys into them. */
  const loggedPaths = new Map([
    ...[...probes.keys()].map((path) => [path, path] as const),
    ...api.paths.map((path) => [path, path.slice(basePath.length)] as const),
  ]);

  const answer: Handler = async (request) => {
    const probe = probes.get(new URL(request.url).pathname);
    return probe === undefined ? await api.handler(request) : answerProbe(request, await probe());
  };
  const log = (response: Response, fields: object): Response => {
    const requestId = randomUUID();
    response.headers.set("x-request-id", requestId);
    logger.info({ requestId, ...fields, status: response.status }, "request");
    return response;
  };
  const answerAndLog: Handler = async (request) => {
    const startedAt = performance.now();
    const response = await answer(request);
    const { pathname } = new URL(request.url);
    const { orgId, actor } = api.principalOf(request) ?? {};
    return log(response, {
      ...(orgId === undefined ? {} : { orgId }),
      ...(actor === undefined ? {} : { actor }),
      method: request.method,
      path: loggedPaths.get(pathname) ?? "other",
      ms: Math.round(performance.now() - startedAt),
    });
  };

  const timeouts = {
    requestTimeout: 15_000,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    // Longer than balancers keep theirs, or they would now and then send a request down a connection that is closing.
    keepAliveTimeout: 65_000,
  };
  const server = createServer(
    timeouts,
    createNodeListener(answerAndLog, (response) => log(response, { path: "none" })),
  );
  server.maxConnections = maxConnections;
  const connections = new Connections(server);
  const url = await listen(server, host, port);
  logger.info({ url, reach: host === "127.0.0.1" ? "this machine only" : host }, "listening");
  const close = async (): Promise<void> => {
    readiness.drain();
    await connections.close(shutdownMs);
  };
  return { url, close, [Symbol.asyncDispose]: close };
}

/** The answer of `/healthz` and `/readyz`. */
function answerProbe({ method }: Request, isWell: boolean): Response {
  const allow = "GET, HEAD";
  if (method !== "GET" && method !== "HEAD") {
    return makeProblem("method_not_allowed", `Use one of: ${allow}.`, { allow }).toResponse();
  }
  const headers = { "cache-control": "no-store" };
  return Response.json({ status: isWell ? "ok" : "not ready" }, { status: isWell ? 200 : 503, headers });
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const code = "code" in error ? String(error.code) : "no code";
      reject(
        new ByokError("options_invalid", `The server cannot listen on ${host}:${port} (${code}). Choose another port.`),
      );
    });
    server.listen(port, host, () => resolve());
  });
  const address = server.address() as AddressInfo;
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Of an error that is not byokit's own nothing is logged but its name: its text may hold anything. */
function describeError(error: unknown): object {
  if (isByokError(error)) return { code: error.code, detail: error.message };
  return { name: error instanceof Error ? error.name : typeof error };
}
