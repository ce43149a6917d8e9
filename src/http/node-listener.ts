import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Handler } from "./create-handler.ts";
import { makeProblem, toProblem } from "./request-problem.ts";

/** What `node:http`, Express and, through its raw request and reply, Fastify call. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A handler for `node:http` and what builds on it. Mount it ahead of body parsers: it reads the body itself. */
export function toNodeListener(handler: Handler): NodeListener {
  return createNodeListener(handler, (response) => response);
}

/** `finish` has the last word on answers to what never became a request. */
export function createNodeListener(handler: Handler, finish: (response: Response) => Response): NodeListener {
  return getRequestListener((request) => handler(request), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      const isMalformed = error instanceof RequestError;
      const malformed = makeProblem("request_malformed", "The request has no valid target or host.");
      return finish((isMalformed ? malformed : toProblem(error)).toResponse());
    },
  });
}
