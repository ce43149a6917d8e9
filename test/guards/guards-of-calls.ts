import { type Guard, guardsOf } from "./guard.ts";

const calls = "calls/calls.test.ts";

/** What calls of ten turns hear, by each way of using each vendor. */
export const guardsOfCalls: readonly Guard[] = [
  ...guardsOf("resolver/call-resolver.ts", calls, [
    ["an end to polls", "this.#cache.close();", "", "rotated softly.*OpenAI, chat, between turns"],
  ]),
  ...guardsOf("resolver/held-slot.ts", "calls/outages.test.ts", [
    [
      "sockets that are opened while the database is away",
      "this.#isUnanswered || this.#decisions.cache.isAway ? this.#goOn() : undefined",
      "undefined as ServingKey | undefined",
      "Deepgram, live transcription,.*database is gone",
    ],
  ]),
  ...guardsOf("providers/openai.ts", calls, [
    ["OpenAI's own words", "refusals: openaiRefusals,", "", "exhausted, .*OpenAI, chat"],
  ]),
  ...guardsOf("providers/xai.ts", calls, [
    ["xAI's own words", "refusals: xaiRefusals,", "", "(?:hard|refused, .*|exhausted, .*) by xAI, chat, between"],
  ]),
  ...guardsOf("providers/elevenlabs.ts", calls, [
    ["ElevenLabs' own words", "refusals: elevenlabsRefusals,", "", 'exhausted: "fail".*ElevenLabs, speech,'],
  ]),
  ...guardsOf("providers/resend.ts", calls, [
    ["Resend's own words", "refusals: resendRefusals,", "", "(?:hard|refused, .*|exhausted, .*) by Resend, e-mail"],
  ]),
];
