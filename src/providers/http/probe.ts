import { isByokError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import type { KeyCheck } from "../provider.ts";
import { classifyRefusal, type Refusal, type RefusalTable, toProviderAnswer } from "../refusals/refusal.ts";
import { readUpTo } from "./read-up-to.ts";

/** The most of an answer that is read, in bytes. OpenAI's list of models, the longest one here, has some 20 KB. */
const maxAnswerBytes = 262_144;

/** What a refusal says of a key. Money that an account lacks does not speak against its key. */
const verdicts: Readonly<Record<Refusal["kind"], KeyCheck["verdict"]>> = {
  rejected: "invalid",
  region: "invalid",
  restricted: "restricted",
  request: "restricted",
  exhausted: "passed",
  busy: "unreachable",
};

/**
 * Sends one authenticated GET and judges its answer as it came: nothing of it is shown, so that nothing is taken out of
 * it before. Nothing that a provider does rejects: what is no verdict on the key (5xx, 429, silence, another's answer) is
 * `unreachable`. `judgeFacts` judges an answer that refuses nothing.
 */
export async function probe(
  { baseUrl, fetch }: Egress,
  signal: AbortSignal,
  path: string,
  table: RefusalTable,
  judgeFacts: (body: unknown) => KeyCheck | undefined = () => undefined,
): Promise<KeyCheck> {
  try {
    const response = await fetch(`${baseUrl}${path}`, { headers: { "user-agent": "byokit" }, signal });
    const text = response.body === null ? "" : (await readUpTo(response.body, maxAnswerBytes)).toString();
    const answer = toProviderAnswer(response.status, text);
    const refusal = classifyRefusal(table, answer);
    if (refusal !== undefined) return toKeyCheck(refusal);
    // A guest network's page is no answer of the provider's. A list that was cut off is.
    if (response.ok && /^\s*[[{]/u.test(text)) return judgeFacts(answer.body) ?? { verdict: "passed" };
    return { verdict: "unreachable", reason: response.status === 429 ? "rate_limited" : "provider_error" };
  } catch (error) {
    const isTimeout = signal.aborted || (isByokError(error) && error.code === "request_timeout");
    return { verdict: "unreachable", reason: isTimeout ? "timeout" : "provider_error" };
  }
}

function toKeyCheck({ kind, reason, region }: Refusal): KeyCheck {
  return { verdict: verdicts[kind], reason, ...(region === undefined ? {} : { region }) };
}
