import type { MiddlewareHandler } from "hono";
import { systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { isIdentifier } from "../identifier.ts";
import { ownProperty } from "../own-property.ts";
import { makeProblem, RequestProblem } from "./request-problem.ts";

/** Who makes a request. Decides the organisation: nothing in a request names one. */
export interface Principal {
  readonly orgId: string;
  /** For the audit trail: 1 to 255 characters without control characters. */
  readonly actor?: string | undefined;
  /** `false`: may read only, and gets 403 for everything that writes. */
  readonly canWrite: boolean;
}

/**
 * Tells whose request it is; `null` or `undefined` means that no one is signed in: 401. It sees method, URL and headers, and never the body, which
 * may hold a key. One that rejects or takes longer than five seconds is an outage: 503.
 */
export type Authenticate = (request: Request) => Promise<Principal | null | undefined> | Principal | null | undefined;

/** What the API's handlers find in their context. */
export interface ApiEnvironment {
  Variables: { principal: Principal };
}

const limitMs = 5_000;

/** Lets pass who is somebody, as the `principal` of what comes after, and notes whose the request is. */
export function requirePrincipal(
  authenticate: Authenticate,
  principals: WeakMap<Request, Principal>,
): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const { url, method: given, headers } = context.req.raw;
    // No `Request` can be made with TRACE. No path has it either: it asks as GET does, and then gets 404 or 405.
    const method = given === "TRACE" ? "GET" : given;
    const principal = await askWithinLimit(authenticate, new Request(url, { method, headers }));
    if (principal === null || principal === undefined) {
      const headers = { "www-authenticate": "Bearer" };
      throw makeProblem("unauthenticated", "You are not signed in. Send your credentials.", headers);
    }
    const copy = copyPrincipal(principal);
    context.set("principal", copy);
    principals.set(context.req.raw, copy);
    await next();
  };
}

/** Lets pass who may write. */
export const requireWriteAccess: MiddlewareHandler<ApiEnvironment> = async (context, next) => {
  if (context.get("principal").canWrite !== true) {
    throw makeProblem("forbidden", "You may read keys and not change them. Ask an administrator.");
  }
  await next();
};

/** A copy, because the platform may use its object again. What is not quite right may write nothing: `0` is not `false`. */
function copyPrincipal(principal: Principal): Principal {
  const orgId = ownProperty(principal, "orgId");
  const actor = ownProperty(principal, "actor");
  const canWrite = ownProperty(principal, "canWrite");
  const isActor = actor === undefined || isIdentifier(actor);
  if (isIdentifier(orgId) && isActor && typeof canWrite === "boolean") {
    return { orgId, canWrite, ...(actor === undefined ? {} : { actor }) };
  }
  throw new TypeError(
    "authenticate() must answer with an orgId, and perhaps an actor, of 1 to 255 characters, and a boolean canWrite.",
  );
}

async function askWithinLimit(authenticate: Authenticate, request: Request): Promise<Principal | null | undefined> {
  const expire = (): Error => new Error(`authenticate() took longer than ${limitMs} ms.`);
  try {
    return await within(systemClock, limitMs, askWhose(authenticate, request), expire);
  } catch (error) {
    const detail = "Signing in does not work right now. Make the same request again.";
    throw new RequestProblem({ status: 503, code: "internal", detail, origin: error });
  }
}

/** Rejects also where `authenticate` throws at once, and takes an answer that is no promise. */
async function askWhose(authenticate: Authenticate, request: Request): Promise<Principal | null | undefined> {
  return await authenticate(request);
}
