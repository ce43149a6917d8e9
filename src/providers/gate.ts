import { AsyncLocalStorage } from "node:async_hooks";
import { ByokError } from "../errors.ts";
import type { Credential } from "./provider.ts";
import { readWithin, scrubbed } from "./response-body.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** When the request that is under way must have begun to be answered, all of an SDK's retries included. */
export const retryBudget: AsyncLocalStorage<number> = new AsyncLocalStorage();

const gated = new WeakSet<Fetch>();

/**
 * The one way out of a client: a `fetch` that takes the key to the credential's origins and nowhere else, follows no
 * redirect, and ends every wait by `requestTimeoutMs`. It ends a request with a typed error and never with an
 * AbortError, which OpenAI's SDK takes for the regular end of a stream.
 */
export function gate(provider: string, credential: Credential, origins: readonly string[], send?: Fetch): Fetch {
  if (send !== undefined && gated.has(send)) return send;
  const { requestTimeoutMs, key } = credential;
  const timeout = (): ByokError => requestTimeout(provider, requestTimeoutMs);

  const gatedFetch: Fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!origins.includes(url.origin)) throw hostRefused(provider);
    const ending = new AbortController();
    const signals = [ending.signal, init.signal ?? (input instanceof Request ? input.signal : null)];
    const signal = AbortSignal.any(signals.filter((one) => one !== null));
    const limitMs = Math.min(
      requestTimeoutMs,
      (retryBudget.getStore() ?? Number.POSITIVE_INFINITY) - performance.now(),
    );
    if (limitMs <= 0) throw timeout();
    const timer = setTimeout(() => ending.abort(timeout()), limitMs);
    let response: Response;
    try {
      response = await (send ?? globalThis.fetch)(input, { ...init, redirect: "error", signal });
    } finally {
      clearTimeout(timer);
    }
    const body = readWithin(response, requestTimeoutMs, (error) => ending.abort(error), timeout);
    return response.ok ? body : await scrubbed(body, key);
  };
  gated.add(gatedFetch);
  return gatedFetch;
}

export function originOf(url: string): string {
  return new URL(url.replace(/^ws/u, "http")).origin;
}

function hostRefused(provider: string): ByokError {
  const message = `The client of "${provider}" was asked to send its key to another host, and did not. Use paths of its own host only.`;
  return new ByokError("host_refused", message, { provider });
}

function requestTimeout(provider: string, limitMs: number): ByokError {
  const message = `"${provider}" did not answer within ${limitMs} ms. Try again, or raise \`requestTimeoutMs\`.`;
  return new ByokError("request_timeout", message, { provider });
}
