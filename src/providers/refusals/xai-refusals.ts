import { readField } from "../http/read-field.ts";
import { openaiRefusals } from "./openai-refusals.ts";
import type { KnownWords, ProviderAnswer, ProviderWords, RefusalTable } from "./refusal.ts";

const known: readonly KnownWords[] = [
  {
    codes: ["unauthenticated:bad-credentials"],
    sentence: /(?:incorrect|invalid) api key/iu,
    kind: "rejected",
    reason: "wrong_key",
  },
  {
    sentence: /(?:api key|team) (?:is|has been) (?:blocked|disabled)/iu,
    kind: "rejected",
    reason: "blocked",
  },
  {
    sentence: /any credits|all available credits|out of credits|no credits|monthly spending limit/iu,
    kind: "exhausted",
    reason: "no_quota",
  },
  {
    sentence: /not (?:available|supported) in your (?:country|region)/iu,
    kind: "restricted",
    reason: "country_not_supported",
  },
  {
    sentence: /model .{0,80}(?:does not exist|not found)|not have access to (?:the )?model/iu,
    kind: "request",
    reason: "request_refused",
  },
  {
    codes: ["permission-denied"],
    sentence: /not have permission|no permission|permission denied/iu,
    kind: "restricted",
    reason: "missing_scope",
  },
];

/**
 * xAI's words: `code` and `error`, `error` alone, or plain text, where only words that are known are its own; its
 * realtime API speaks as OpenAI's. A wrong key is 400 (https://docs.x.ai/developers/debugging).
 */
export const xaiRefusals: RefusalTable = {
  known: [...known, ...openaiRefusals.known],
  read(answer) {
    const code = readField(answer.body, "code");
    const error = readField(answer.body, "error");
    if (code !== "" && error !== "") return { codes: [code], sentence: `${error} ${code}` };
    return openaiRefusals.read(answer) ?? readKnown(error, answer);
  },
};

/** A page may hold any words, and a sentence in no known shape is the provider's where it says what the provider says. */
function readKnown(error: string, { body, text }: ProviderAnswer): ProviderWords | undefined {
  const sentence = body === undefined && !text.trimStart().startsWith("<") ? text : error;
  return known.some((words) => words.sentence?.test(sentence)) ? { codes: [], sentence } : undefined;
}
