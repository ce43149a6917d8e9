import { deepgram } from "./deepgram.ts";
import { elevenlabs } from "./elevenlabs.ts";
import { openai } from "./openai.ts";
import { resend } from "./resend.ts";
import { xai } from "./xai.ts";

export type BuiltinProvider = typeof deepgram | typeof openai | typeof elevenlabs | typeof xai | typeof resend;

/** The providers of the BYOK API, in the order of its documentation. */
export const builtinProviders: readonly BuiltinProvider[] = [deepgram, openai, elevenlabs, xai, resend];
