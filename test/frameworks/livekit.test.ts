import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Id, isolate, startWorld, type World } from "./world.ts";

isolate();
const agents = await import("@livekit/agents");
const deepgram = await import("@livekit/agents-plugin-deepgram");
const elevenlabs = await import("@livekit/agents-plugin-elevenlabs");
const openai = await import("@livekit/agents-plugin-openai");
const xai = await import("@livekit/agents-plugin-xai");
const { AudioFrame } = await import("@livekit/rtc-node");
const { z } = await import("zod");

agents.initializeLogger({ pretty: false, level: "silent" });

const once = { maxRetry: 0, retryIntervalMs: 10, timeoutMs: 10_000 };
let world: World;

// A resolver of its own for each: what a key is refused with is remembered.
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** What a plugin is given that makes its requests through the slot. */
async function clientOf(orgId: string, id: "openai" | "xai"): Promise<never> {
  const { client } = await world.resolver.client(orgId, id, { slot: "llm" });
  // The plugin brings version 6 of the SDK, byokit 7.
  return client as never;
}

/** What a plugin is given that takes a string and opens its sockets itself. */
async function credentialOf(orgId: string, id: Id) {
  const slot = { deepgram: "stt", elevenlabs: "tts", openai: "llm", xai: "llm" }[id];
  const { credential } = await world.resolver.client(orgId, id, { slot } as never);
  return { apiKey: credential.key.reveal(), http: credential.baseUrl, socket: credential.websocketUrl };
}

type Credential = Awaited<ReturnType<typeof credentialOf>>;

/** What a plugin tells of in an event, does not throw, and tries again: the first of it. */
const failureOf = async (
  plugin: { on(event: "error", listener: (event: never) => void): unknown },
  use: () => Promise<unknown>,
): Promise<unknown> => {
  const told = new Promise((resolve) => plugin.on("error", ({ error }: { readonly error: unknown }) => resolve(error)));
  return await Promise.race([
    told,
    use().then(
      () => told,
      (error: unknown) => error,
    ),
  ]);
};
const expectRefused = (): void => {
  expect(new Set(world.doubles.requests.map(({ accepted }) => accepted))).toEqual(new Set([false]));
};

const chat = async (model: InstanceType<typeof agents.llm.LLM>, said: string, toolCtx?: unknown) => {
  const chatCtx = new agents.llm.ChatContext();
  chatCtx.addMessage({ role: "user", content: said });
  let text = "";
  const called: string[] = [];
  for await (const { delta } of model.chat({ chatCtx, connOptions: once, toolCtx: toolCtx as never })) {
    text += delta?.content ?? "";
    for (const { name, args } of delta?.toolCalls ?? []) called.push(`${name} ${args}`);
  }
  return { text, called };
};

const silenceOf = (ms: number, rate: number) =>
  new AudioFrame(new Int16Array((rate * ms) / 1_000), rate, 1, (rate * ms) / 1_000);
const speechOf = (ms: number, rate: number) => {
  const samples = Int16Array.from({ length: (rate * ms) / 1_000 }, (_, at) => (at % 40 < 20 ? 9_000 : -9_000));
  return new AudioFrame(samples, rate, 1, samples.length);
};

/** The first final transcript of 300 ms of speech and a second of silence. */
const listen = async (ears: InstanceType<typeof agents.stt.STT>): Promise<string | undefined> => {
  const stream = ears.stream({ connOptions: once });
  for (const frame of [speechOf(300, 16_000), silenceOf(2_000, 16_000)]) stream.pushFrame(frame);
  for await (const { type, alternatives } of stream) {
    if (type !== agents.stt.SpeechEventType.FINAL_TRANSCRIPT) continue;
    stream.close();
    return alternatives?.[0]?.text;
  }
  return undefined;
};

/** How many samples two words take. */
const say = async (voice: InstanceType<typeof agents.tts.TTS>): Promise<number> => {
  const stream = voice.stream({ connOptions: once });
  stream.pushText("two words. ");
  stream.endInput();
  let samples = 0;
  for await (const audio of stream) {
    if (typeof audio === "symbol") break;
    samples += audio.frame.samplesPerChannel;
  }
  stream.close();
  return samples;
};
const synthesize = async (voice: InstanceType<typeof agents.tts.TTS>): Promise<number> => {
  let samples = 0;
  for await (const { frame } of voice.synthesize("two words", once)) samples += frame.samplesPerChannel;
  return samples;
};

describe.each([
  ["openai.LLM", "openai", (client: never) => new openai.LLM({ client, model: "double-1" })],
  ["openai.LLM.withXAI", "xai", (client: never) => openai.LLM.withXAI({ client, model: "double-1" as never })],
  [
    "openai.responses.LLM",
    "openai",
    (client: never) => new openai.responses.LLM({ client, model: "double-1", useWebSocket: false }),
  ],
] as const)("%s through a slot's client", (_name, id, build) => {
  it("answers in text", async () => {
    expect(await chat(build(await clientOf("own", id)), "hello there")).toEqual({
      text: "You said: hello there",
      called: [],
    });
    world.expectClean(id, 1);
  });

  it("calls a tool", async () => {
    const parameters = z.object({ door: z.string() });
    const door = agents.llm.tool({ name: "open_door", description: "", parameters, execute: () => "open" } as never);
    const tools = new agents.llm.ToolContext([door] as never);
    const { called } = await chat(build(await clientOf("own", id)), "open door", tools);
    expect(called).toEqual(['open_door {"door":"double"}']);
    world.expectClean(id, 1);
  });

  it("of a wrong key is a refusal", async () => {
    const model = build(await clientOf("wrong", id));
    const message = expect.stringContaining("a key that its provider refuses");
    expect(await failureOf(model, () => chat(model, "hello"))).toMatchObject({ message });
    expectRefused();
  });
});

describe("openai.TTS through a slot's client", () => {
  it("speaks", async () => {
    expect(await synthesize(new openai.TTS({ client: await clientOf("own", "openai") }))).toBe(4_800);
    world.expectClean("openai", 1);
  });

  it("of a wrong key is a refusal", async () => {
    const voice = new openai.TTS({ client: await clientOf("wrong", "openai") });
    expect(await failureOf(voice, () => synthesize(voice))).toMatchObject({ status: 401 });
    expectRefused();
  });
});

describe("openai.responses.LLM over its own socket, on a slot's credential", () => {
  const build = ({ apiKey, http }: Credential) =>
    new openai.responses.LLM({ apiKey, baseURL: http, model: "double-1", useWebSocket: true });

  it("answers in text, turn by turn over one socket", async () => {
    const model = build(await credentialOf("own", "openai"));
    expect((await chat(model, "hello there")).text).toBe("You said: hello there");
    expect((await chat(model, "and again")).text).toBe("You said: and again");
    world.expectClean("openai", 1);
    await model.aclose();
  });

  it("of a wrong key is a refusal", async () => {
    const model = build(await credentialOf("wrong", "openai"));
    expect(await failureOf(model, () => chat(model, "hello"))).toBeInstanceOf(Error);
    expectRefused();
    await model.aclose();
  });
});

const listeners: readonly (readonly [string, Id, (one: Credential) => InstanceType<typeof agents.stt.STT>])[] = [
  ["deepgram.STT", "deepgram", ({ apiKey, socket }) => new deepgram.STT({ apiKey, baseUrl: socket })],
  [
    "deepgram.STTv2",
    "deepgram",
    ({ apiKey, socket }) => new deepgram.STTv2({ apiKey, endpointUrl: `${socket}/v2/listen` }),
  ],
  [
    "openai.STT",
    "openai",
    ({ apiKey, http }) => new openai.STT({ apiKey, baseURL: http, useRealtime: true, vad: null } as never),
  ],
  [
    "elevenlabs.STT",
    "elevenlabs",
    ({ apiKey, http }) =>
      new elevenlabs.STT({ apiKey, baseURL: `${http}/v1`, modelId: "scribe_v2_realtime", serverVad: {} } as never),
  ],
];

describe.each(listeners)("%s on a slot's credential", (_name, id, build) => {
  it("hears", async () => {
    expect(await listen(build(await credentialOf("own", id)))).toContain("hello I would");
    world.expectClean(id);
  });

  it("of a wrong key is a refusal", async () => {
    const ears = build(await credentialOf("wrong", id));
    expect(await failureOf(ears, () => listen(ears))).toBeInstanceOf(Error);
    expectRefused();
  });
});

const speakers: readonly (readonly [string, Id, (one: Credential) => InstanceType<typeof agents.tts.TTS>])[] = [
  ["deepgram.TTS", "deepgram", ({ apiKey, http }) => new deepgram.TTS({ apiKey, baseUrl: http })],
  [
    "elevenlabs.TTS",
    "elevenlabs",
    ({ apiKey, http }) => new elevenlabs.TTS({ apiKey, baseURL: `${http}/v1`, voiceId: "v", encoding: "pcm_22050" }),
  ],
];

describe.each(speakers)("%s on a slot's credential", (_name, id, build) => {
  it("speaks over its socket", async () => {
    const voice = build(await credentialOf("own", id));
    expect(await say(voice)).toBeGreaterThan(4_000);
    world.expectClean(id);
    await voice.close();
  });

  it("of a wrong key is a refusal", async () => {
    const voice = build(await credentialOf("wrong", id));
    expect(await failureOf(voice, () => say(voice))).toBeInstanceOf(Error);
    expectRefused();
    await voice.close();
  });
});

it("elevenlabs.TTS speaks over HTTP on a slot's credential", async () => {
  const { apiKey, http } = await credentialOf("own", "elevenlabs");
  const voice = new elevenlabs.TTS({ apiKey, baseURL: `${http}/v1`, voiceId: "v", encoding: "pcm_22050" });
  expect(await synthesize(voice)).toBe(4_410);
  world.expectClean("elevenlabs", 1);
});

const realtimeModels: readonly (readonly [
  string,
  Id,
  (one: Credential) => InstanceType<typeof agents.llm.RealtimeModel>,
])[] = [
  [
    "openai.realtime.RealtimeModel",
    "openai",
    ({ apiKey, socket }) => new openai.realtime.RealtimeModel({ apiKey, baseURL: socket, model: "double-1" }),
  ],
  [
    "xai.realtime.RealtimeModel",
    "xai",
    ({ apiKey, socket }) => new xai.realtime.RealtimeModel({ apiKey, baseURL: socket, model: "double-1" } as never),
  ],
];

describe.each(realtimeModels)("%s on a slot's credential", (_name, id, build) => {
  it("answers in speech what it is asked", async () => {
    const session = build(await credentialOf("own", id)).session();
    const chatCtx = new agents.llm.ChatContext();
    chatCtx.addMessage({ role: "user", content: "hello there" });
    await session.updateChatCtx(chatCtx);
    const { messageStream } = await session.generateReply();
    let [text, samples] = ["", 0];
    for await (const message of messageStream) {
      const reading = (async () => {
        for await (const piece of message.textStream) text += String(piece);
      })();
      for await (const { samplesPerChannel } of message.audioStream) samples += samplesPerChannel;
      await reading;
    }
    expect([text, samples]).toEqual(["You said: hello there", 9_600]);
    world.expectClean(id, 1);
    await session.close();
  });

  // At the handshake it would end the process: nothing of the plugin listens to its socket's error then.
  it("whose key is refused while it is open says so", async () => {
    const session = build(await credentialOf("own", id)).session();
    const updated = (event: { readonly type: string }): boolean => event.type === "session.updated";
    await new Promise<void>((resolve) => {
      session.on("openai_server_event_received", (event) => updated(event as never) && resolve());
    });
    const failed = new Promise((resolve) => session.on("error", resolve));
    const recover = world.doubles.fail({ provider: id, openRefusal: "wrongKey" });
    expect(await failed).toMatchObject({ error: { message: expect.stringContaining("Incorrect API key") } });
    recover();
    await session.close();
  });
});
