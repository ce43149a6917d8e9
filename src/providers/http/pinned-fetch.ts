import { ByokError } from "../../errors.ts";
import { ownProperty } from "../../own-property.ts";
import type { Credential } from "../provider.ts";
import { completeInit } from "./complete-init.ts";
import { requestDeadline } from "./request-deadline.ts";
import { readWithin, scrubResponse } from "./response-body.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface PinnedFetchOptions {
  /** What sends. @default globalThis.fetch */
  readonly send?: Fetch;
  /** Whether the key is taken out of an error's body, for whoever shows it. @default true */
  readonly redacts?: boolean;
}

const pinned = new WeakSet<Fetch>();

/**
 * The one way out of a client: a `fetch` that takes the key to the credential's origins and nowhere else, follows no
 * redirect, and ends every wait by `requestTimeoutMs`. It ends a request with a typed error and never with an
 * AbortError, which OpenAI's SDK takes for the regular end of a stream.
 */
export function pinnedFetch(
  provider: string,
  credential: Credential,
  origins: readonly string[],
  options: PinnedFetchOptions = {},
): Fetch {
  const send = ownProperty(options, "send");
  const redacts = ownProperty(options, "redacts") ?? true;
  if (send !== undefined && pinned.has(send)) return send;
  const { requestTimeoutMs, key } = credential;

  const fetchPinned: Fetch = async (input, given = {}) => {
    const init = completeInit(input, given);
    const refused = findRefusal(provider, origins, input instanceof Request ? input.url : String(input));
    if (refused !== undefined) throw refused;
    const deadline = requestDeadline.getStore();
    const limitMs = Math.min(requestTimeoutMs, deadline?.leftMs() ?? requestTimeoutMs);
    const ending = new AbortController();
    const signals = [ending.signal, init.signal ?? (input instanceof Request ? input.signal : null)];
    const signal = AbortSignal.any(signals.filter((one) => one !== null));
    const noAnswer = (): ByokError => requestTimeout(provider, deadline?.limitMs ?? requestTimeoutMs);
    const timer = setTimeout(() => ending.abort(noAnswer()), limitMs);
    let response: Response;
    try {
      response = await (send ?? globalThis.fetch)(input, { ...init, redirect: "error", signal });
    } finally {
      clearTimeout(timer);
    }
    const stalled = (): ByokError => requestTimeout(provider, requestTimeoutMs);
    const body = readWithin(response, requestTimeoutMs, (error) => ending.abort(error), stalled);
    return response.ok || !redacts ? body : await scrubResponse(body, key);
  };
  pinned.add(fetchPinned);
  return fetchPinned;
}

/**
 * Why a request must not leave, or `undefined`. Asked by the pinned fetch, and ahead of it by an SDK's client that would
 * take the refusal for a broken connection and try again.
 */
export function findRefusal(provider: string, origins: readonly string[], url: string): ByokError | undefined {
  if (!origins.includes(new URL(url).origin)) return hostRefused(provider);
  const deadline = requestDeadline.getStore();
  return deadline !== undefined && deadline.leftMs() <= 0 ? requestTimeout(provider, deadline.limitMs) : undefined;
}

export function toOrigin(url: string): string {
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
