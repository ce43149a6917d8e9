import { judgeAnswer } from "../refusals/judge-answer.ts";
import { isOfKey, type ProviderAnswer, type Refusal, type RefusalTable } from "../refusals/refusal.ts";

/** What an answer, or a socket's frame, says of the key alone. Never throws: a table may be anybody's. */
export function judgeSafely(table: RefusalTable | undefined, answer: ProviderAnswer): Refusal | undefined {
  try {
    const refusal = judgeAnswer(table, answer);
    return refusal !== undefined && isOfKey(refusal) ? refusal : undefined;
  } catch {
    return undefined;
  }
}
