import { byokErrorOf } from "byokit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Id, isolate, startWorld, type World } from "./world.ts";

isolate();
const { createDeepgram } = await import("@ai-sdk/deepgram");
const { createElevenLabs } = await import("@ai-sdk/elevenlabs");
const { createOpenAI } = await import("@ai-sdk/openai");
const { createXai } = await import("@ai-sdk/xai");
const ai = await import("ai");
const { z } = await import("zod");

let world: World;

// A resolver of its own for each: what a key is refused with is remembered.
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** The AI SDK's providers as a worker builds them: the placeholder in the key's place, the vendor's own host, the slot's ways out. */
async function build(orgId: string) {
  const { resolver } = world;
  const slots = {
    openai: await resolver.client(orgId, "openai", { slot: "llm" }),
    xai: await resolver.client(orgId, "xai", { slot: "llm" }),
    deepgram: await resolver.client(orgId, "deepgram", { slot: "stt" }),
    elevenlabs: await resolver.client(orgId, "elevenlabs", { slot: "tts" }),
  };
  const settings = (id: Id) => {
    const { placeholder, fetch, WebSocket } = slots[id];
    return { apiKey: placeholder, fetch, webSocket: WebSocket as never };
  };
  return {
    // Said, for it would be read from OPENAI_BASE_URL.
    openai: createOpenAI({ ...settings("openai"), baseURL: "https://api.openai.com/v1" }),
    xai: createXai(settings("xai")),
    deepgram: createDeepgram(settings("deepgram")),
    elevenlabs: createElevenLabs(settings("elevenlabs")),
  };
}

type Providers = Awaited<ReturnType<typeof build>>;

/** 300 ms of 16 bits, in which a double hears three words. */
function speech(sampleRate: number): Uint8Array {
  const samples = Buffer.alloc((sampleRate * 2 * 300) / 1_000);
  for (let at = 0; at < samples.length; at += 2) samples.writeInt16LE(at % 80 < 40 ? 9_000 : -9_000, at);
  return new Uint8Array(samples);
}

/** As a wav file of 16 kHz. */
function recording(): Uint8Array {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.write("WAVEfmt ", 8);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.write("data", 36);
  return new Uint8Array(Buffer.concat([header, speech(16_000)]));
}

const languageModels = [
  ["openai", "responses", ({ openai }: Providers) => openai("double-1")],
  ["openai", "chat", ({ openai }: Providers) => openai.chat("double-1")],
  ["xai", "responses", ({ xai }: Providers) => xai("double-1")],
] as const;

describe.each(languageModels)("a language model of %s, %s", (id, _api, modelOf) => {
  it("generates text", async () => {
    const { text, usage } = await ai.generateText({ model: modelOf(await build("own")), prompt: "hello there" });
    expect([text, usage.outputTokens]).toEqual(["You said: hello there", 4]);
    world.expectClean(id, 1);
  });

  it("streams text", async () => {
    const { textStream } = ai.streamText({ model: modelOf(await build("own")), prompt: "hello there" });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);
    expect([pieces.length > 1, pieces.join("")]).toEqual([true, "You said: hello there"]);
    world.expectClean(id, 1);
  });

  it("calls a tool, and answers what it said", async () => {
    const opened: unknown[] = [];
    const openDoor = ai.tool({
      inputSchema: z.object({ door: z.string() }),
      execute: (input) => {
        opened.push(input);
        return "it is open";
      },
    });
    const { text, steps } = await ai.generateText({
      model: modelOf(await build("own")),
      prompt: "open door",
      tools: { open_door: openDoor },
      stopWhen: ai.isStepCount(2),
    });
    expect([opened, steps.length, text]).toEqual([[{ door: "double" }], 2, "You said: it is open"]);
    world.expectClean(id, 2);
  });

  it("of a wrong key is a refusal, and is asked once", async () => {
    const asked = ai.generateText({ model: modelOf(await build("wrong")), prompt: "hello" });
    await expect(asked).rejects.toMatchObject({ statusCode: 401 });
    expect(world.doubles.requests.map(({ accepted }) => accepted)).toEqual([false]);
  });

  it("without credit is a refusal, and is asked once", async () => {
    const model = modelOf(await build("own"));
    const recover = world.doubles.fail({ provider: id, refusal: "quotaExceeded" });
    const refused = await ai.generateText({ model, prompt: "hello" }).catch((error: unknown) => error);
    recover();
    expect(refused).toMatchObject({ statusCode: 402 });
    expect(byokErrorOf(refused)).toMatchObject({ code: "key_exhausted", orgId: "own", provider: id });
    expect(world.doubles.requests).toHaveLength(1);
  });
});

const transcribers = [
  ["openai", ({ openai }: Providers) => openai.transcription("whisper-1")],
  ["deepgram", ({ deepgram }: Providers) => deepgram.transcription("nova-3")],
  ["elevenlabs", ({ elevenlabs }: Providers) => elevenlabs.transcription("scribe_v2")],
  ["xai", ({ xai }: Providers) => xai.transcription()],
] as const;

describe.each(transcribers)("transcription by %s", (id, modelOf) => {
  it("hears a recording", async () => {
    const { text } = await ai.transcribe({ model: modelOf(await build("own")), audio: recording() });
    expect(text).toContain("hello I would");
    world.expectClean(id, 1);
  });

  it("of a wrong key is a refusal", async () => {
    const asked = ai.transcribe({ model: modelOf(await build("wrong")), audio: recording() });
    await expect(asked).rejects.toMatchObject({ statusCode: 401 });
  });
});

const streamed = [
  ["openai", 24_000, ({ openai }: Providers) => openai.transcription("gpt-realtime-whisper")],
  ["elevenlabs", 16_000, ({ elevenlabs }: Providers) => elevenlabs.transcription("scribe_v2_realtime")],
  ["xai", 16_000, ({ xai }: Providers) => xai.transcription()],
] as const;

describe.each(streamed)("transcription of a stream by %s, over a socket", (id, rate, modelOf) => {
  const transcribe = async (orgId: string): Promise<string> => {
    const audio = ReadableStream.from([speech(rate)]) as never;
    const model = modelOf(await build(orgId));
    return await ai.experimental_streamTranscribe({ model, audio, inputAudioFormat: { type: "audio/pcm", rate } }).text;
  };

  it("hears it", async () => {
    expect(await transcribe("own")).toContain("hello I would");
    world.expectClean(id, 1);
  });

  it("of a wrong key is a refusal", async () => {
    await expect(transcribe("wrong")).rejects.toThrow();
    expect(world.doubles.requests.map(({ accepted }) => accepted)).toEqual([false]);
  });
});

const speakers = [
  ["openai", ({ openai }: Providers) => openai.speech("tts-1"), {}],
  ["deepgram", ({ deepgram }: Providers) => deepgram.speech("aura-2-thalia-en"), {}],
  ["elevenlabs", ({ elevenlabs }: Providers) => elevenlabs.speech("eleven_flash_v2_5"), { voice: "double" }],
  ["xai", ({ xai }: Providers) => xai.speech(), { voice: "eve", language: "en" }],
] as const;

describe.each(speakers)("speech by %s", (id, modelOf, options) => {
  it("says two words", async () => {
    const model = modelOf(await build("own"));
    const { audio } = await ai.generateSpeech({ model, text: "two words", ...options });
    expect(audio.uint8Array.length).toBeGreaterThan(0);
    world.expectClean(id, 1);
  });

  it("of a wrong key is a refusal", async () => {
    const asked = ai.generateSpeech({ model: modelOf(await build("wrong")), text: "two words", ...options });
    await expect(asked).rejects.toMatchObject({ statusCode: 401 });
  });
});

const realtimeModels = [
  ["openai", ({ openai }: Providers) => openai.experimental_realtime("gpt-realtime")],
  ["xai", ({ xai }: Providers) => xai.experimental_realtime("grok-voice-latest")],
] as const;

describe.each(realtimeModels)("a client secret of %s", (id, modelOf) => {
  it("is minted through the slot, and opens a browser's socket", async () => {
    const model = modelOf(await build("own"));
    const { token = "", url = "" } = (await model.doCreateClientSecret?.({})) ?? {};
    world.expectClean(id, 1);
    // The socket is the browser's own, so that only its address is the double's here.
    const { websocketUrl } = world.doubles.endpoints[id];
    const { protocols = [] } = model.getWebSocketConfig?.({ token, url }) ?? {};
    const socket = new WebSocket(`${websocketUrl}/realtime${new URL(url).search || "?model=m"}`, protocols);
    const first = await new Promise<string>((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)).type);
      socket.onerror = () => reject(new Error("It was refused."));
    });
    expect([first, world.doubles.requests.at(-1)?.key]).toEqual(["session.created", token]);
    socket.close();
  });

  it("is not minted with a wrong key", async () => {
    const model = modelOf(await build("wrong"));
    await expect(Promise.resolve(model.doCreateClientSecret?.({}))).rejects.toThrow(/401/u);
  });
});
