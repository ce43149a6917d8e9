import { ReadableStream } from "node:stream/web";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isolate, ownKey, startWorld, type World } from "./world.ts";

isolate();
const { initializeLogger, voice } = await import("@livekit/agents");
const deepgram = await import("@livekit/agents-plugin-deepgram");
const elevenlabs = await import("@livekit/agents-plugin-elevenlabs");
const openai = await import("@livekit/agents-plugin-openai");
const { AudioFrame } = await import("@livekit/rtc-node");

initializeLogger({ pretty: false, level: "silent" });

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const rate = 16_000;

class Microphone extends voice.AudioInput {
  constructor(frames: readonly InstanceType<typeof AudioFrame>[]) {
    super();
    this.multiStream.addInputStream(ReadableStream.from(frames) as never);
  }
}

/** Plays at once whatever it is given. */
class Loudspeaker extends voice.AudioOutput {
  samples = 0;
  #pending = 0;

  constructor() {
    super(24_000, undefined, { pause: false });
  }

  override async captureFrame(frame: InstanceType<typeof AudioFrame>): Promise<void> {
    await super.captureFrame(frame);
    if (this.#pending === 0) this.onPlaybackStarted(Date.now());
    this.#pending += frame.samplesPerChannel;
    this.samples += frame.samplesPerChannel;
  }

  override flush(): void {
    super.flush();
    if (this.#pending === 0) return;
    const playbackPosition = this.#pending / 24_000;
    this.#pending = 0;
    queueMicrotask(() => this.onPlaybackFinished({ playbackPosition, interrupted: false }));
  }

  clearBuffer(): void {}
}

it("a whole spoken turn of LiveKit's AgentSession runs on the customer's keys", async () => {
  const { resolver, doubles } = world;
  const call = await resolver.resolve("own", {
    llm_config: { provider: "openai" },
    stt_config: { provider: "deepgram" },
    tts_config: { provider: "elevenlabs", voice: "v" },
  });
  const [ears, mouth] = [call.stt.credential, call.tts.credential];
  const session = new voice.AgentSession({
    stt: new deepgram.STT({ apiKey: ears.key.reveal(), baseUrl: ears.websocketUrl }),
    llm: new openai.LLM({ client: call.llm.client as never, model: "double-1" }),
    tts: new elevenlabs.TTS({ apiKey: mouth.key.reveal(), baseURL: `${mouth.baseUrl}/v1`, voiceId: "v" }),
    vad: null as never,
    turnHandling: { turnDetection: "stt", endpointing: { minDelay: 50, maxDelay: 200 } },
  });
  const frames = Array.from({ length: 60 }, (_, at) => {
    const samples = Int16Array.from({ length: rate / 20 }, (_sample, x) => (at < 12 ? 8_000 * Math.sin(x / 8) : 0));
    return new AudioFrame(samples, rate, 1, samples.length);
  });
  const loudspeaker = new Loudspeaker();
  session.input.audio = new Microphone(frames);
  session.output.audio = loudspeaker;
  const agent = new voice.Agent({ instructions: "You are helpful." });
  const answered = new Promise<string>((resolve) => {
    session.on(voice.AgentSessionEventTypes.ConversationItemAdded, ({ item }) => {
      if (item.type === "message" && item.role === "assistant") resolve(item.textContent ?? "");
    });
  });
  await session.start({ agent });
  expect((await answered).trim()).toBe("You said: hello I would like to know");
  expect(loudspeaker.samples).toBeGreaterThan(24_000 / 2);
  const keys = doubles.requests.map(({ provider, key, accepted }) => [provider, key, accepted]);
  expect(new Set(keys.map(String))).toEqual(
    new Set(["deepgram", "openai", "elevenlabs"].map((id) => String([id, ownKey(id), true]))),
  );
  await session.close();
});
