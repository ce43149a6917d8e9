import { isByokError } from "../../errors.ts";
import type { Credential, KeyCheck } from "../provider.ts";
import { pinnedFetch, toOrigin } from "./pinned-fetch.ts";
import { readTextUpTo } from "./response-body.ts";

/** What a provider answered to a key check. `body` is `undefined` where it is not JSON. */
export interface ProbeAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

/** The most of an answer that is read, in bytes. OpenAI's list of models, the longest one here, has some 20 KB. */
const maxAnswerBytes = 262_144;

/**
 * Sends one authenticated GET and judges its answer. Nothing that a provider does rejects: what is no verdict on the key
 * (5xx, 429, silence) is `unreachable`.
 */
export async function probe(
  provider: string,
  credential: Credential,
  signal: AbortSignal,
  request: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  judge: (answer: ProbeAnswer) => KeyCheck | undefined,
): Promise<KeyCheck> {
  const send = pinnedFetch(provider, credential, [toOrigin(credential.baseUrl)]);
  try {
    const response = await send(`${credential.baseUrl}${request.path}`, { headers: request.headers, signal });
    const text = response.body === null ? "" : await readTextUpTo(response.body, maxAnswerBytes);
    const verdict = judge({ status: response.status, body: parseJson(text), text });
    if (verdict !== undefined) return verdict;
    // A guest network's page is no answer of the provider's. A list that was cut off is.
    if (response.ok && /^\s*[[{]/u.test(text)) return { verdict: "passed" };
    return { verdict: "unreachable", reason: response.status === 429 ? "rate_limited" : "provider_error" };
  } catch (error) {
    const isTimeout = signal.aborted || (isByokError(error) && error.code === "request_timeout");
    return { verdict: "unreachable", reason: isTimeout ? "timeout" : "provider_error" };
  }
}

/** The string at a path of an answer's body, or "". */
export function readField(body: unknown, ...path: readonly string[]): string {
  let value = body;
  for (const name of path) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === "string" ? value : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
