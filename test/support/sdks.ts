import { deepgram } from "../../src/providers/deepgram.ts";
import { elevenlabs } from "../../src/providers/elevenlabs.ts";
import { openai } from "../../src/providers/openai.ts";
import { toOpenAISdk } from "../../src/providers/openai-sdk/openai-client.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { resend } from "../../src/providers/resend.ts";
import { xai } from "../../src/providers/xai.ts";

/** One version of an SDK, as its provider's `load()` would give it. */
export interface SdkVersion {
  readonly name: string;
  readonly provider: Provider;
  load(): Promise<unknown>;
}

/** The first versions of the ranges are other packages to TypeScript, and the same to what runs. */
const openai6 = async (): Promise<unknown> => {
  const [{ OpenAI }, { OpenAIRealtimeWS }] = await Promise.all([import("openai-6"), import("openai-6/realtime/ws")]);
  return toOpenAISdk(OpenAI as never, OpenAIRealtimeWS as never);
};

const newest = (provider: Provider, name: string): SdkVersion => ({
  name,
  provider,
  load: async () => await provider.load?.(),
});

/** Both ends of the range of every SDK. */
export const sdkVersions: readonly SdkVersion[] = [
  newest(openai as Provider, "openai, newest"),
  { name: "openai 6.0.0", provider: openai as Provider, load: openai6 },
  newest(xai as Provider, "openai for xAI, newest"),
  { name: "openai 6.0.0 for xAI", provider: xai as Provider, load: openai6 },
  newest(deepgram as Provider, "@deepgram/sdk, newest"),
  { name: "@deepgram/sdk 5.0.0", provider: deepgram as Provider, load: () => import("deepgram-5") },
  newest(elevenlabs as Provider, "@elevenlabs/elevenlabs-js, newest"),
  { name: "@elevenlabs/elevenlabs-js 2.25.0", provider: elevenlabs as Provider, load: () => import("elevenlabs-2.25") },
  newest(resend as Provider, "resend, newest"),
  { name: "resend 6.0.0", provider: resend as Provider, load: () => import("resend-6") },
];
