import { judgeKey } from "../refusals/judge-key.ts";
import { type Refusal, type RefusalTable, toProviderAnswer } from "../refusals/refusal.ts";
import { breakToFailure, isRedirect } from "./fetch-failure.ts";
import { guardResponse } from "./guarded-response.ts";
import type { KeyScrubber } from "./key-scrubber.ts";
import type { RequestFailures } from "./request-failures.ts";

interface AnswerOptions {
  readonly failures: RequestFailures;
  /** The longest for each pending read of the body, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/**
 * What a caller is given of an answer: no redirect, which would take the key along, and reads that end and show no key.
 *
 * @throws ByokError `host_refused` for a redirect.
 */
export function guardAnswer(
  response: Response,
  { failures, requestTimeoutMs }: AnswerOptions,
  signal: AbortSignal | null | undefined,
  scrubber: KeyScrubber | undefined,
): Promise<Response> {
  if (isRedirect(response)) return refuse(response, failures);
  return guardResponse(response, {
    limitMs: requestTimeoutMs,
    expiry: () => failures.timedOut(requestTimeoutMs),
    toFailure: (error) => breakToFailure(error, signal, () => failures.brokenOff()),
    scrubber,
  });
}

/** What an answer says of the key that it was given to; `undefined`: nothing, and it is the caller's. */
export async function readRefusal(answer: Response, table: RefusalTable | undefined): Promise<Refusal | undefined> {
  const { status } = answer;
  if (status < 400 || status >= 500) return undefined;
  return judgeKey(table, toProviderAnswer(status, await answer.clone().text()));
}

async function refuse(redirect: Response, failures: RequestFailures): Promise<never> {
  await redirect.body?.cancel();
  throw failures.redirected();
}
