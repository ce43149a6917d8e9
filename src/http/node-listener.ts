import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Handler } from "./create-handler.ts";
import { readBefore } from "./request-body.ts";
import { makeProblem, toProblem } from "./request-problem.ts";

/** What `node:http`, Express and, through its raw request and reply, Fastify call. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A handler for `node:http` and what builds on it. Mount it ahead of body parsers: it reads the body itself. */
export function toNodeListener(handler: Handler): NodeListener {
  return createNodeListener(handler, (response) => response);
}

/** `finish` has the last word on answers to what never became a request. */
export function createNodeListener(handler: Handler, finish: (response: Response) => Response): NodeListener {
  const answer = (request: Request, { incoming }: { incoming: { readonly readableDidRead?: boolean } }) => {
    if (incoming.readableDidRead === true && !("rawBody" in incoming)) readBefore.add(request);
    return handler(request);
  };
  return getRequestListener(answer, {
    overrideGlobalObjects: false,
    // A balancer's health check over HTTP/1.0 names no host.
    hostname: "localhost",
    errorHandler: (error) => {
      const isMalformed = error instanceof RequestError;
      const malformed = makeProblem("request_malformed", "The request has no valid target or host.");
      return finish((isMalformed ? malformed : toProblem(error)).toResponse());
    },
  });
}
