import { classifyRefusal, judgeByStatus, type ProviderAnswer, type Refusal, type RefusalTable } from "./refusal.ts";

/**
 * What an answer, or a socket's frame, says of the key alone, by the provider's own words. Its status alone counts where the
 * provider's words are not known, or where it gave none; a page and anybody else's words say nothing of a key. Never throws: a
 * table may be anybody's.
 */
export function judgeKey(table: RefusalTable | undefined, answer: ProviderAnswer): Refusal | undefined {
  try {
    const refusal = judge(table, answer);
    return refusal !== undefined && isOfKey(refusal) ? refusal : undefined;
  } catch {
    return undefined;
  }
}

function judge(table: RefusalTable | undefined, answer: ProviderAnswer): Refusal | undefined {
  const text = answer.text.trimStart();
  if (table !== undefined && text !== "") return classifyRefusal(table, answer);
  return text.startsWith("<") ? undefined : judgeByStatus(answer.status);
}

/** Whether a refusal speaks of the key itself, and not of one request: nothing else marks a key. */
function isOfKey({ kind }: Refusal): boolean {
  return kind === "rejected" || kind === "region" || kind === "exhausted";
}
