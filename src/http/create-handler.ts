import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { callHook } from "../call-hook.ts";
import type { KeyManager } from "../manager/key-manager.ts";
import { callback, withMethods } from "../option-kinds.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import { readAllowedMethods } from "./allowed-methods.ts";
import { addAuditRoute } from "./audit-route.ts";
import { addCatalogueRoute } from "./catalogue-route.ts";
import { describeIssues } from "./describe-issues.ts";
import { bearerScheme, documentFacts } from "./document-facts.ts";
import { addKeyRoutes } from "./key-routes.ts";
import { type ApiEnvironment, type Authenticate, type Principal, requirePrincipal } from "./principal.ts";
import { forbidSniffing, makeProblem, type RequestProblem, toProblem } from "./request-problem.ts";
import { addVerifyRoute } from "./verify-route.ts";

export interface HandlerOptions {
  readonly manager: KeyManager;
  /** Whose request it is. There is no default. */
  readonly authenticate: Authenticate;
  /** What stands before every path: "/v1". @default "" */
  readonly basePath?: string | undefined;
  /** Called with whatever makes an answer of 500 or 503. What it throws, or rejects with, is ignored. */
  readonly onError?: ((error: unknown) => unknown) | undefined;
}

const managerKind = withMethods("a key manager, as of createKeyManager({ store, keyring })", [
  "list",
  "set",
  "remove",
  "verify",
  "describe",
  "audit",
  "config",
]);

export const handlerRules: OptionRules<HandlerOptions> = {
  manager: required(managerKind),
  authenticate: required({
    ...callback,
    form: "a function that says whose a request is, such as bearerTokens(tokens)",
  }),
  basePath: { form: 'empty, or a path that begins with "/" and does not end with it', fits: isBasePath },
  onError: callback,
};

function isBasePath(value: unknown): boolean {
  return value === "" || (typeof value === "string" && /^(\/[\w.-]+)+$/u.test(value));
}

/** A Web-standard handler: mounts in Hono, Next, Bun and Deno as it is, elsewhere through `toNodeListener`. */
export type Handler = (request: Request) => Promise<Response>;

/** A handler, and the paths that it answers: its own document's, and where that document is. */
export interface DescribedHandler {
  readonly handler: Handler;
  readonly paths: readonly string[];
  /** Who sent a request that the handler was given; `undefined` where no one is signed in. For a log, never for a client. */
  principalOf(request: Request): Principal | undefined;
}

/**
 * The management API: `GET`, `POST` and `DELETE /byok`, `GET /byok/config`, `POST /byok/verify`, `GET /byok/audit`, and its
 * own description at `GET /openapi.json`. Every failure is `application/problem+json` (RFC 9457). Never rejects.
 *
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { createHandler } from "byokit/http";
 *
 * const handler = createHandler({
 *   manager,
 *   authenticate: async (request) => {
 *     const session = await sessionOf(request.headers.get("cookie"));
 *     return session && { orgId: session.org, actor: session.user, canWrite: session.isAdmin };
 *   },
 * });
 * const response = await handler(new Request("http://localhost/byok"));
 * ```
 */
export function createHandler(options: HandlerOptions): Handler {
  return createDescribedHandler(options).handler;
}

/** @throws ByokError `options_invalid` */
export function createDescribedHandler(given: HandlerOptions): DescribedHandler {
  const { manager, authenticate, basePath = "", onError } = readOptions("createHandler()", given, handlerRules);
  const tellOperator = (error: unknown): void => callHook(onError, error);
  const api = new OpenAPIHono<ApiEnvironment>({
    strict: false,
    defaultHook: (result) => {
      if (!result.success) throw describeIssues(result.target, result.error.issues);
    },
  }).basePath(basePath);
  api.onError((error, { req }) => {
    if (req.raw.signal.aborted) return makeProblem("client_gone", "The client went away.").toResponse();
    const problem = error instanceof HTTPException ? translateFrameworkError(error) : toProblem(error);
    if (problem.status >= 500) tellOperator(problem.origin ?? error);
    return problem.toResponse();
  });
  api.notFound(() => makeProblem("not_found", "There is no such path.").toResponse());

  api.use("*", async (context, next) => {
    await next();
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  });
  let allowed: ReadonlyMap<string, string> = new Map();
  api.use("*", async (context, next) => {
    const allow = allowed.get(context.req.path);
    // Ahead of who asks: a browser's preflight carries no credentials.
    if (context.req.method === "OPTIONS" && allow !== undefined) return context.body(null, 204, { allow });
    return await next();
  });
  // "/byok" itself is among "/byok/*".
  const principals = new WeakMap<Request, Principal>();
  api.use("/byok/*", requirePrincipal(authenticate, principals));
  addKeyRoutes(api, manager);
  addVerifyRoute(api, manager);
  addAuditRoute(api, manager);
  addCatalogueRoute(api, manager);
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", bearerScheme);
  const document = api.getOpenAPI31Document(documentFacts);
  api.get(documentPath, (context) => context.json(document));
  allowed = readAllowedMethods({ ...document.paths, [`${basePath}${documentPath}`]: { get: {} } });
  api.all("*", async ({ req }, next) => {
    const allow = allowed.get(req.path);
    if (allow === undefined) return await next();
    throw makeProblem("method_not_allowed", `Use one of: ${allow}.`, { allow });
  });
  return {
    handler: async (request) => {
      try {
        return forbidSniffing(await api.fetch(request));
      } catch (error) {
        // What is thrown and is no Error is not caught by the framework.
        tellOperator(error);
        return forbidSniffing(toProblem(error).toResponse());
      }
    },
    paths: [...allowed.keys()],
    principalOf: (request) => principals.get(request),
  };
}

const documentPath = "/openapi.json";

function translateFrameworkError({ status }: HTTPException): RequestProblem {
  if (status === 415) return makeProblem("content_type_unsupported", "Send the body as application/json.");
  return makeProblem("body_malformed", "The body is not JSON. Send a JSON object of the documented fields.");
}
