import type { HandlerOptions } from "../create-handler.ts";

export interface ServeOptions extends Omit<HandlerOptions, "onError"> {
  /** @default "127.0.0.1", which only this machine reaches */
  readonly host?: string | undefined;
  /** 0 takes any that is free. @default 8787 */
  readonly port?: number | undefined;
  /** Rejects while the service cannot answer: `GET /readyz` then says 503. @default always ready */
  readonly ready?: (() => unknown) | undefined;
  /** One line a request, with its organisation and actor. A `pino` logger fits; one that fails is ignored. @default JSON lines on standard output */
  readonly logger?: RequestLogger | undefined;
  /**
   * How long `close()` goes on answering while `GET /readyz` says 503, in milliseconds. Shorter than a balancer takes to
   * notice, and clients that it still sends here are refused a connection. @default 0, for a server that has no balancer
   */
  readonly drainMs?: number | undefined;
  /** How long `close()` then waits for requests under way. @default 10_000 */
  readonly shutdownMs?: number | undefined;
  /** How many there may be. One more ends the one that has waited longest for its client. @default 1_000 */
  readonly maxConnections?: number | undefined;
}

export interface RequestLogger {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /**
   * Says 503 at `GET /readyz` and goes on answering for `drainMs`, or for `drainMs` of the options; then takes no more
   * requests, lets those under way end, and closes. From the first moment on each connection ends with its next answer, and
   * what is sent behind that is not carried out. Called again with 0, it ends the drain.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}
