export { createHandler, type Handler, type HandlerOptions } from "./create-handler.ts";
export { type NodeListener, toNodeListener } from "./node-listener.ts";
export type { Authenticate, Principal } from "./principal.ts";
export type { Problem, ProblemCode } from "./problem.ts";
export { bearerTokens, type HashedToken, parseTokens } from "./server/bearer-tokens.ts";
export { type RequestLogger, type RunningServer, type ServeOptions, serve } from "./server/serve.ts";
