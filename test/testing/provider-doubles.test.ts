import { connect } from "node:net";
import { AudioFormat, RealtimeEvents } from "@elevenlabs/elevenlabs-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  builtinProviders,
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  memoryStore,
  type Resolver,
} from "../../src/index.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { DoubleId, Grant, ProviderDoubles } from "../../src/testing/index.ts";
import { startProviderDoubles } from "../../src/testing/index.ts";
import { credentialOf } from "../support/egress.ts";

const ids: readonly DoubleId[] = builtinProviders.map(({ id }) => id);
const own = (id: DoubleId): string => `${id}-key-of-the-customer`;
const platforms = (id: DoubleId): string => `${id}-key-of-the-platform`;
const audio = Buffer.alloc(16_000, 0xaf);
let doubles: ProviderDoubles;
let resolver: Resolver;

beforeAll(async () => {
  doubles = await startProviderDoubles({
    keys: Object.fromEntries(ids.map((id) => [id, [own(id), platforms(id)]])),
  });
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, verify: "off" });
  for (const id of ids) await manager.set("own", { provider: id, apiKey: own(id) });
  await manager.set("wrong", { provider: "openai", apiKey: "openai-key-of-nobody" });
  const platformKeys = Object.fromEntries(ids.map((id) => [id, platforms(id)]));
  resolver = createResolver({ store, keyring, platformKeys, endpoints: doubles.endpoints });
  await resolver.ready();
});
beforeEach(() => doubles.clear());
afterAll(async () => {
  await resolver.close();
  await doubles.close();
});

const agent = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
  realtime_config: { provider: "xai" },
} as const;

describe.each([
  ["own", own],
  ["none", platforms],
] as const)("a call of the organisation %s through the real SDKs", (orgId, keyOf) => {
  const expectKey = (id: DoubleId): void => {
    const received = doubles.requests.filter(({ provider }) => provider === id);
    expect(received.map(({ key, accepted }) => [key, accepted])).toEqual(received.map(() => [keyOf(id), true]));
    expect(received.length).toBeGreaterThan(0);
  };

  it("streams a completion", async () => {
    const { llm } = await resolver.resolve(orgId, agent);
    const stream = await llm.client.chat.completions.create({
      model: llm.model,
      messages: [{ role: "user", content: "hello there" }],
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("You said: hello there");
    expectKey("openai");
  });

  it("transcribes audio as it is sent", async () => {
    const { stt } = await resolver.resolve(orgId, agent);
    const socket = await stt.client.listen.v1.connect({
      model: stt.model,
      encoding: "mulaw",
      sample_rate: 8_000,
    } as never);
    const heard: string[] = [];
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("message", (message) => {
      if (message.type === "Results") heard.push(message.channel.alternatives[0]?.transcript ?? "");
    });
    socket.connect();
    await socket.waitForOpen();
    for (let at = 0; at < audio.length; at += 160) socket.sendMedia(audio.subarray(at, at + 160));
    socket.sendCloseStream({ type: "CloseStream" });
    await closed;
    expect(heard.at(-1)).toContain("when you open tomorrow");
    expectKey("deepgram");
  });

  it("streams speech", async () => {
    const { tts } = await resolver.resolve(orgId, agent);
    let bytes = 0;
    for await (const chunk of await tts.client.textToSpeech.stream("voice", {
      text: "one two three",
      modelId: tts.model,
    })) {
      bytes += chunk.length;
    }
    expect(bytes).toBe(2_400);
    expectKey("elevenlabs");
  });

  it("holds a realtime session with the slot's model", async () => {
    const { realtime } = await resolver.resolve(orgId, agent);
    const socket = await realtime.connect();
    const done = new Promise((resolve) => socket.on("response.done", resolve));
    socket.send({ type: "response.create" });
    await done;
    socket.close();
    expect(doubles.requests.at(-1)?.query["model"]).toBe("grok-beta-realtime");
    expectKey("xai");
  });

  it("sends an e-mail", async () => {
    const mail = await resolver.client(orgId, "resend");
    const { data, error } = await mail.client.emails.send({
      from: "a@b.example",
      to: "c@d.example",
      subject: "s",
      text: "t",
    });
    expect([data?.id, error]).toEqual([expect.any(String), null]);
    expectKey("resend");
  });
});

it("Resend's double sends a batch, and refuses one in which an e-mail lacks its subject", async () => {
  const { client } = await resolver.client("own", "resend");
  const email = { from: "a@b.example", to: "c@d.example", subject: "s", text: "t" };
  const { data } = await client.batch.send([email, email]);
  expect(data?.data).toHaveLength(2);
  const { error } = await client.batch.send([email, { ...email, subject: "" }]);
  expect(error).toMatchObject({ name: "missing_required_field" });
});

it("a wrong key is refused by the provider, and nobody else's takes its place", async () => {
  const { llm } = await resolver.resolve("wrong", { llm_config: { provider: "openai" } });
  await expect(llm.client.models.list()).rejects.toMatchObject({ status: 401, code: "key_rejected" });
  expect(doubles.requests.map(({ key }) => key)).toEqual(["openai-key-of-nobody"]);
});

it("a realtime socket with a wrong key is a typed error", async () => {
  doubles.revoke("xai", platforms("xai"));
  const { realtime } = await resolver.resolve("none", { realtime_config: { provider: "xai" } });
  await expect(realtime.connect()).rejects.toMatchObject({ code: "platform_key_refused" });
  doubles.accept("xai", platforms("xai"));
});

describe("a key check", () => {
  const grants: readonly (readonly [string, Grant | null, Partial<Record<DoubleId | "else", string>>])[] = [
    ["a valid key", {}, { else: "passed" }],
    ["an unknown key", null, { else: "invalid" }],
    ["a key that lacks scopes", { restricted: true }, { xai: "passed", else: "restricted" }],
    ["a blocked key", { blocked: true }, { elevenlabs: "restricted", else: "invalid" }],
    ["a key without credit", { quotaExceeded: true }, { else: "passed" }],
  ];
  const check = async (id: DoubleId, key: string, signal = AbortSignal.timeout(10_000)) => {
    const endpoint = doubles.endpoints[id];
    const provider = builtinProviders.find((one) => one.id === id) as Provider;
    return await provider.check?.(credentialOf(provider, key, endpoint.baseUrl, 2_000), signal);
  };

  describe.each(ids)("of %s", (id) => {
    it.each(grants)("judges %s", async (_name, grant, expected) => {
      const key = "checked-key-0123456789";
      if (grant === null) doubles.revoke(id, key);
      else doubles.accept(id, key, grant);
      expect((await check(id, key))?.verdict).toBe(expected[id] ?? expected.else);
    });

    it.each([
      { status: 503 },
      { status: 429 },
      { dropSocket: true },
    ])("never blames the key for %j", async (misbehaviour) => {
      doubles.behave(id, misbehaviour);
      expect((await check(id, own(id)))?.verdict).toBe("unreachable");
      doubles.behave(id, null);
    });

    it("ends with its signal when the provider stalls", async () => {
      doubles.behave(id, { stall: "headers" });
      expect(await check(id, own(id), AbortSignal.timeout(100))).toEqual({ verdict: "unreachable", reason: "timeout" });
      doubles.behave(id, null);
    });
  });
});

it("a double outlives a client that goes away, and a request that is no URL", async () => {
  const { port } = new URL(doubles.endpoints.openai.baseUrl);
  for (const sent of [
    "GET // HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET // HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
  ]) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
    socket.resetAndDestroy();
  }
  const { llm } = await resolver.resolve("own", agent);
  expect((await llm.client.models.list()).data).toHaveLength(1);
});

it.each([
  [{ status: 500 }, "provider_failed"],
  [{ redirectTo: "http://127.0.0.1:1/" }, "host_refused"],
  [{ dropSocket: true }, "provider_failed"],
] as const)("a double that misbehaves with %j opens no websocket either: %s", async (misbehaviour, code) => {
  doubles.behave("xai", misbehaviour);
  const { realtime } = await resolver.resolve("own", agent);
  await expect(realtime.connect()).rejects.toMatchObject({ code });
  doubles.behave("xai", null);
});

it("ElevenLabs transcribes a file and a stream", async () => {
  const { client, credential } = await resolver.client("own", "elevenlabs", { slot: "stt" });
  const heard = await client.speechToText.convert({ modelId: "scribe_v2", file: audio });
  expect("text" in heard && heard.text).toContain("hello");
  const stream = await client.speechToText.realtime.connect({
    modelId: "scribe_realtime",
    audioFormat: AudioFormat.ULAW_8000,
    sampleRate: 8_000,
  });
  const committed = new Promise((resolve) => stream.on(RealtimeEvents.COMMITTED_TRANSCRIPT, resolve));
  await new Promise((resolve) => stream.on(RealtimeEvents.SESSION_STARTED, resolve));
  stream.send({ audioBase64: audio.toString("base64") });
  stream.commit();
  expect(await committed).toMatchObject({ text: expect.stringContaining("hello") });
  stream.close();
  const keys = doubles.requests.map(({ provider, key }) => [provider, key]);
  expect(keys).toEqual(keys.map(() => ["elevenlabs", credential.key.reveal()]));
  expect(keys).toHaveLength(2);
});

it.each(["deepgram", "elevenlabs"] as const)("%s is asked once: no retry outlasts requestTimeoutMs", async (id) => {
  doubles.behave(id, { status: 503 });
  const { client } = await resolver.client("own", id);
  const request = "textToSpeech" in client ? client.models.list() : client.manage.v1.projects.list();
  await expect(request).rejects.toMatchObject({ statusCode: 503 });
  expect(doubles.requests).toHaveLength(1);
  doubles.behave(id, null);
});
