import { type ByokErrorCode, isByokError } from "../../errors.ts";
import { answerRefusal } from "./answer-refusal.ts";
import { FetchAttempt, type FetchAttemptOptions } from "./fetch-attempt.ts";
import { readInit } from "./read-init.ts";

/** What a provider has said, now or a while ago: it is shown as an answer, which no SDK and no framework sends again. */
const saidByProvider: ReadonlySet<ByokErrorCode> = new Set(["key_rejected", "key_exhausted", "platform_key_refused"]);

/**
 * A slot's `fetch`. Each request is decided when it is called and asked about once more as its head is written: it carries
 * the key that serves at that moment, to that key's host, and no credential of anybody else's. One whose key is refused is
 * sent again with what serves then, if it can be.
 */
export function createSlotFetch(options: FetchAttemptOptions): typeof fetch {
  const { supply } = options;
  return async (input, given = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    // OpenAI's SDK asks in this way whether there is a `fetch`.
    if (url.startsWith("data:")) return await globalThis.fetch(url);
    const init = readInit(input as string | URL | Request, given);
    init.signal?.throwIfAborted();
    const attempt = new FetchAttempt(options, url, init);
    try {
      return await attempt.send(supply.peek() ?? (await supply.decide(init.signal)));
    } catch (error) {
      if (isByokError(error) && saidByProvider.has(error.code)) return answerRefusal(error);
      throw error;
    }
  };
}
