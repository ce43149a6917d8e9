import { forbidSniffing, makeProblem } from "../request-problem.ts";
import type { Readiness } from "./readiness.ts";

/** What `/healthz` and `/readyz` ask, by path. */
export function createProbes(readiness: Readiness): ReadonlyMap<string, (request: Request) => Promise<Response>> {
  return new Map([
    ["/healthz", async (request: Request) => answerProbe(request, true)],
    ["/readyz", async (request: Request) => answerProbe(request, await readiness.isReady())],
  ]);
}

function answerProbe({ method }: Request, isWell: boolean): Response {
  const allow = "GET, HEAD";
  if (method !== "GET" && method !== "HEAD") {
    return makeProblem("method_not_allowed", `Use one of: ${allow}.`, { allow }).toResponse();
  }
  const headers = { "cache-control": "no-store" };
  const body = { status: isWell ? "ok" : "not ready" };
  return forbidSniffing(Response.json(body, { status: isWell ? 200 : 503, headers }));
}
