import type { ClientRequest } from "node:http";

/** How long a request may take until its answer begins: name resolution, TCP, TLS and a proxy included. */
export interface Opening {
  /** Aborted when the time is over, or the request was given up. */
  readonly signal: AbortSignal;
  /** Stops the time. */
  answered(): void;
}

/** Ends `request` with `expiry()` unless it has its answer within `limitMs`, or has ended, or was upgraded. */
export function limitOpening(request: ClientRequest, limitMs: number, expiry: () => Error): Opening {
  const opening = new AbortController();
  const timer = setTimeout(() => {
    const why = expiry();
    opening.abort(why);
    request.destroy(why);
  }, limitMs);
  const answered = (): void => clearTimeout(timer);
  request.once("close", answered);
  // Node tells of nothing else while a request waits for its connection.
  request.once("abort", () => {
    answered();
    opening.abort(new Error("The request was given up."));
  });
  return { signal: opening.signal, answered };
}
