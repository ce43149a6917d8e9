import { ByokError } from "../../errors.ts";
import type { Credential } from "../provider.ts";
import { readWithin, scrubbed } from "./response-body.ts";
import { retryBudget } from "./retry-budget.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const gated = new WeakSet<Fetch>();

/**
 * The one way out of a client: a `fetch` that takes the key to the credential's origins and nowhere else, follows no
 * redirect, and ends every wait by `requestTimeoutMs`. It ends a request with a typed error and never with an
 * AbortError, which OpenAI's SDK takes for the regular end of a stream.
 */
export function gate(provider: string, credential: Credential, origins: readonly string[], send?: Fetch): Fetch {
  if (send !== undefined && gated.has(send)) return send;
  const { requestTimeoutMs, key } = credential;

  const gatedFetch: Fetch = async (input, init = {}) => {
    const refused = refusal(provider, origins, input instanceof Request ? input.url : String(input));
    if (refused !== undefined) throw refused;
    const budget = retryBudget.getStore();
    const limitMs = Math.min(requestTimeoutMs, budget?.leftMs() ?? requestTimeoutMs);
    const ending = new AbortController();
    const signals = [ending.signal, init.signal ?? (input instanceof Request ? input.signal : null)];
    const signal = AbortSignal.any(signals.filter((one) => one !== null));
    const noAnswer = (): ByokError => requestTimeout(provider, budget?.limitMs ?? requestTimeoutMs);
    const timer = setTimeout(() => ending.abort(noAnswer()), limitMs);
    let response: Response;
    try {
      response = await (send ?? globalThis.fetch)(input, { ...init, redirect: "error", signal });
    } finally {
      clearTimeout(timer);
    }
    const stalled = (): ByokError => requestTimeout(provider, requestTimeoutMs);
    const body = readWithin(response, requestTimeoutMs, (error) => ending.abort(error), stalled);
    return response.ok ? body : await scrubbed(body, key);
  };
  gated.add(gatedFetch);
  return gatedFetch;
}

/**
 * Why a request must not leave, or `undefined`. Asked by the gate, and ahead of the gate by an SDK's client that would
 * take the refusal for a broken connection and try again.
 */
export function refusal(provider: string, origins: readonly string[], url: string): ByokError | undefined {
  if (!origins.includes(new URL(url).origin)) return hostRefused(provider);
  const budget = retryBudget.getStore();
  return budget !== undefined && budget.leftMs() <= 0 ? requestTimeout(provider, budget.limitMs) : undefined;
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
