import { classifyRefusal, judgeByStatus, type ProviderAnswer, type Refusal, type RefusalTable } from "./refusal.ts";

/**
 * What an answer refuses, by the provider's own words. Its status alone counts where the provider's words are not known, or
 * where it gave none; a page and anybody else's words say nothing of a key.
 */
export function judgeAnswer(table: RefusalTable | undefined, answer: ProviderAnswer): Refusal | undefined {
  const text = answer.text.trimStart();
  if (table !== undefined && text !== "") return classifyRefusal(table, answer);
  return text.startsWith("<") ? undefined : judgeByStatus(answer.status);
}
