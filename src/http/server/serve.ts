import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { callHook } from "../../call-hook.ts";
import { isByokError } from "../../errors.ts";
import {
  callback,
  milliseconds,
  positiveMilliseconds,
  positiveWhole,
  text,
  whole,
  withMethods,
} from "../../option-kinds.ts";
import { assertOption } from "../../options.ts";
import { type OptionRules, readOptions } from "../../read-options.ts";
import { createDescribedHandler, type Handler, handlerRules } from "../create-handler.ts";
import { createNodeListener, type NodeListener } from "../node-listener.ts";
import { readRequestPath } from "../request-path.ts";
import { makeProblem } from "../request-problem.ts";
import { answerBrokenRequests } from "./broken-requests.ts";
import { Connections } from "./connections.ts";
import { LineOutput } from "./line-output.ts";
import { listen } from "./listen.ts";
import { createProbes } from "./probes.ts";
import { Readiness } from "./readiness.ts";
import type { RunningServer, ServeOptions } from "./serve-options.ts";

/** Longer than any request takes: a connection on which nothing moves has a client that takes no answer. */
const stalledMs = 120_000;

const { onError: _, ...sharedRules } = handlerRules;
const rules: OptionRules<ServeOptions> = {
  ...sharedRules,
  host: text,
  port: { form: "a port, 0 to 65535", fits: (value) => whole.fits(value) && Number(value) <= 65_535 },
  ready: callback,
  logger: withMethods("a logger that has info() and error()", ["info", "error"]),
  drainMs: milliseconds,
  shutdownMs: positiveMilliseconds,
  maxConnections: positiveWhole,
};

/**
 * The management API on `node:http`, with `GET /healthz` (the process lives), `GET /readyz` (it can answer), request ids
 * and a log: for trying, for tests and for small installations. Platforms mount `createHandler` in their own API.
 *
 * @throws ByokError `options_invalid`, as when the port is taken.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { bearerTokens, parseTokens, serve } from "byokit/http";
 *
 * const tokens = parseTokens(readFileSync("./tokens.json", "utf8"));
 * const server = await serve({ manager, authenticate: bearerTokens(tokens), port: 8_787 });
 * process.once("SIGTERM", () => server.close({ drainMs: 5_000 }));
 * ```
 */
export async function serve(given: ServeOptions): Promise<RunningServer> {
  const options = readOptions("serve()", given, rules);
  const { manager, authenticate, basePath = "", host = "127.0.0.1", port = 8_787 } = options;
  const { drainMs = 0, shutdownMs = 10_000, maxConnections = 1_000 } = options;
  const logger = options.logger ?? (await import("pino")).pino({}, LineOutput.to(process.stdout));
  const onError = (error: unknown): void => callHook(() => logger.error(describeError(error), "failed"));
  const readiness = new Readiness(options.ready ?? (() => {}));
  const api = createDescribedHandler({ manager, authenticate, basePath, onError });
  const probes = createProbes(readiness);
  /** Paths, each with how it is logged. No other is: people put keys into them. */
  const loggedPaths = new Map([
    ...[...probes.keys()].map((path) => [path, path] as const),
    ...api.paths.map((path) => [path, path.slice(basePath.length)] as const),
  ]);

  const log = (response: Response, fields: object): Response => {
    const requestId = randomUUID();
    response.headers.set("x-request-id", requestId);
    callHook(() => logger.info({ requestId, ...fields, status: response.status }, "request"));
    return response;
  };
  const answer: Handler = async (request) => {
    const startedAt = performance.now();
    const path = readRequestPath(request);
    const response = await (probes.get(path) ?? api.handler)(request);
    const { orgId, actor } = api.principalOf(request) ?? {};
    return log(response, {
      ...(orgId === undefined ? {} : { orgId }),
      ...(actor === undefined ? {} : { actor }),
      method: request.method,
      path: loggedPaths.get(path) ?? "other",
      ms: Math.round(performance.now() - startedAt),
    });
  };
  const finish = (response: Response): Response => log(response, { path: "none" });
  const refuse = (code: "server_closing" | "request_malformed", detail: string): NodeListener =>
    createNodeListener(async () => finish(makeProblem(code, detail).toResponse()), finish);
  const listeners = {
    answer: createNodeListener(answer, finish),
    refuse: refuse("server_closing", "The server is closing. Make the same request again."),
    malformed: refuse("request_malformed", "The request names no host."),
  };

  const timeouts = {
    requestTimeout: 15_000,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    // Longer than balancers keep theirs, or they would now and then send a request down a connection that is closing.
    keepAliveTimeout: 65_000,
    // Refused below, with the headers that every answer has.
    requireHostHeader: false,
  };
  const server = createServer(timeouts, (request, response) => {
    const admission = connections.admit(request, response);
    if (admission === "ignore") return;
    void listeners[admission === "answer" && lacksHost(request) ? "malformed" : admission](request, response);
  });
  server.timeout = stalledMs;
  const connections = new Connections(server, maxConnections, onError);
  answerBrokenRequests(server, connections);
  const { url, isExposed } = await listen(server, host, port);
  const reach = host === "127.0.0.1" ? "this machine only" : host;
  const advice = "Tokens and keys travel without TLS here. Put a proxy with TLS in front.";
  callHook(() => logger.info({ url, reach, ...(isExposed ? { advice } : {}) }, "listening"));

  const draining = new AbortController();
  const end = async (limitMs: number): Promise<void> => {
    readiness.drain();
    connections.drain();
    if (limitMs > 0) await sleep(limitMs, undefined, { signal: draining.signal }).catch(() => {});
    await connections.close(shutdownMs);
  };
  let closed: Promise<void> | undefined;
  const close: RunningServer["close"] = (given = {}) => {
    if (given.drainMs === 0) draining.abort();
    closed ??= end(assertOption("drainMs", given.drainMs ?? drainMs, milliseconds));
    return closed;
  };
  return { url, close, [Symbol.asyncDispose]: () => close() };
}

function lacksHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion !== "1.0";
}

/** Of an error that is not byokit's own nothing is logged but its name: its text may hold anything. */
function describeError(error: unknown): object {
  if (isByokError(error)) return { code: error.code, detail: error.message };
  return { name: error instanceof Error ? error.name : typeof error };
}
