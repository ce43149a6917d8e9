import { byokErrorOf } from "../../byok-error-of.ts";
import { answerRefusal } from "./answer-refusal.ts";

/** The error that an SDK of Deepgram's or ElevenLabs' throws. */
type SdkError = new (made: { readonly message: string; readonly cause: unknown }) => Error;

/**
 * The SDKs of Deepgram and ElevenLabs leave their timer behind where a `fetch` rejects, and a process stays for as long as it
 * runs. So a failure is an answer here, whose text breaks off with it: they reject as they would have, and clear the timer.
 * They read the text of any answer with this status, and try none of them again. Versions whose errors carry no `cause` are
 * given a refusal of byokit's to read, for they would drop what they reject with.
 */
export function answerFailures(send: typeof fetch, Thrown: SdkError): typeof fetch {
  const sample = new Error();
  const carriesCause = new Thrown({ message: "", cause: sample }).cause === sample;
  return async (input, init) => {
    try {
      return await send(input, init);
    } catch (error) {
      const refusal = carriesCause ? undefined : byokErrorOf(error);
      if (refusal !== undefined) return answerRefusal(refusal);
      const body = new ReadableStream({ start: (controller) => controller.error(error) });
      return new Response(body, { status: 400, headers: { "content-type": "text/plain" } });
    }
  };
}
