export { createHandler, type Handler, type HandlerOptions } from "./create-handler.ts";
export { type NodeListener, toNodeListener } from "./node-listener.ts";
export type { Authenticate, Principal } from "./principal.ts";
export type { Problem, ProblemCode } from "./problem.ts";
export { bearerTokens, type HashedToken, parseTokens } from "./server/bearer-tokens.ts";
export { serve } from "./server/serve.ts";
export type { RequestLogger, RunningServer, ServeOptions } from "./server/serve-options.ts";
