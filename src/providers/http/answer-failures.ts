import { byokErrorOf } from "../../byok-error-of.ts";
import { answerRefusal } from "../egress/answer-refusal.ts";

/** The error that an SDK of Deepgram's or ElevenLabs' throws. */
type SdkError = new (made: { readonly message: string; readonly cause: unknown }) => Error;

/** They read the text of any answer with this status, and try none of them again. */
const status = 400;

/** What each answer stands for that is a failure. */
const failures = new WeakMap<Response, unknown>();

/**
 * The SDKs of Deepgram and ElevenLabs leave their timer behind where a `fetch` rejects, and a process stays for as long as it
 * runs. So a failure is an answer here, whose text breaks off with it: they reject as they would have, and clear the timer.
 * Versions whose errors carry no `cause` are given a refusal of byokit's to read, for they would drop what they reject with.
 */
export function answerFailures(send: typeof fetch, Thrown: SdkError): typeof fetch {
  const sample = new Error();
  const carriesCause = new Thrown({ message: "", cause: sample }).cause === sample;
  return async (input, init) => {
    try {
      return await send(input, init);
    } catch (error) {
      const refusal = carriesCause ? undefined : byokErrorOf(error);
      const answer = refusal === undefined ? breakOff(error) : answerRefusal(refusal, status);
      failures.set(answer, error);
      return answer;
    }
  };
}

/** The caller of `client.fetch()` reads the answer directly, so that a failure rejects there. */
export function rejectFailures(client: object): void {
  const inner: unknown = Reflect.get(client, "fetch");
  if (typeof inner !== "function") return;
  const fetchOrReject = async (...given: readonly unknown[]): Promise<Response> => {
    const answer: Response = await inner.apply(client, given);
    if (failures.has(answer)) throw failures.get(answer);
    return answer;
  };
  Object.defineProperty(client, "fetch", { value: fetchOrReject, configurable: true, writable: true });
}

function breakOff(error: unknown): Response {
  const body = new ReadableStream({ start: (controller) => controller.error(error) });
  return new Response(body, { status, headers: { "content-type": "text/plain" } });
}
