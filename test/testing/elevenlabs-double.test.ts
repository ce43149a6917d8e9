import { AudioFormat, CommitStrategy, ElevenLabsClient, RealtimeEvents } from "@elevenlabs/elevenlabs-js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";

const key = "elevenlabs-key-of-a-test";
let doubles: ProviderDoubles;
let client: ElevenLabsClient;
const opened: ToldSocket[] = [];

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys: { elevenlabs: [key] } });
  client = new ElevenLabsClient({ apiKey: key, baseUrl: doubles.endpoints.elevenlabs.baseUrl, maxRetries: 0 });
});
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});
afterAll(() => doubles.close());

async function open(path: string, shown = key): Promise<ToldSocket> {
  const socket = await openSocket(doubles.endpoints.elevenlabs.websocketUrl + path, { "xi-api-key": shown });
  opened.push(socket);
  return socket;
}

const bytesOf = (message: unknown): number =>
  Buffer.from((message as { audio: string | null }).audio ?? "", "base64").length;

describe.each(["stream-input", "multi-stream-input"])("the socket %s of ElevenLabs' double", (name) => {
  it.each([
    ["pcm_16000", 6_400],
    ["pcm_24000", 9_600],
    ["ulaw_8000", 1_600],
  ])("speaks %s, and tells when each character is spoken", async (format, bytes) => {
    const socket = await open(`/v1/text-to-speech/v/${name}?model_id=m&output_format=${format}`);
    socket.send({ text: " ", context_id: "default" });
    socket.send({ text: "ab cd ", context_id: "default" });
    const spoken = await socket.heard(({ audio }) => audio !== undefined);
    expect(bytesOf(spoken)).toBe(bytes);
    const timing = { chars: [..." ab cd "], charStartTimesMs: [0, 29, 57, 86, 114, 143, 171] };
    expect(spoken).toMatchObject({ alignment: timing, normalizedAlignment: timing });
    const { charDurationsMs: durations } = (spoken as { alignment: { charDurationsMs: number[] } }).alignment;
    expect(durations.reduce((sum, one) => sum + one, 0)).toBe(200);
  });

  it("keeps a word that may go on until a space or a flush", async () => {
    const socket = await open(`/v1/text-to-speech/v/${name}?output_format=ulaw_8000`);
    for (const text of ["hel", "lo wor", "ld"]) socket.send({ text, context_id: "default" });
    socket.send({ text: "", context_id: "default", flush: true });
    await socket.heard(({ alignment }) => (alignment as { chars: string[] } | undefined)?.chars.join("") === "world");
    expect(socket.told.slice(0, 2).map(bytesOf)).toEqual([800, 800]);
  });

  it("tells what it cannot read, and closes", async () => {
    const socket = await open(`/v1/text-to-speech/v/${name}`);
    socket.socket.send("no JSON");
    expect(await socket.closed).toBe(1_008);
    expect(socket.told).toMatchObject([{ error: "invalid_input_message", code: 1_008 }]);
  });

  it("refuses a wrong key at its handshake", async () => {
    await expect(open(`/v1/text-to-speech/v/${name}`, "key-of-nobody")).rejects.toMatchObject({
      status: 401,
      body: { detail: { status: "invalid_api_key" } },
    });
  });
});

it("an empty text ends a stream, once all was spoken", async () => {
  const socket = await open("/v1/text-to-speech/v/stream-input?output_format=ulaw_8000");
  socket.send({ text: "hello" });
  socket.send({ text: "" });
  expect(await socket.closed).toBe(1_000);
  expect(socket.told).toMatchObject([{ isFinal: null }, { audio: null, isFinal: true }]);
  expect(bytesOf(socket.told[0])).toBe(800);
});

describe("contexts of a multi-stream-input", () => {
  it("are spoken apart, and one ends without the other", async () => {
    const socket = await open("/v1/text-to-speech/v/multi-stream-input?output_format=ulaw_8000");
    socket.send({ text: "one ", context_id: "a" });
    socket.send({ text: "two", context_id: "b" });
    socket.send({ context_id: "a", close_context: true });
    socket.send({ text: "", context_id: "b" });
    socket.send({ text: " three", context_id: "b" });
    socket.send({ close_socket: true });
    expect(await socket.closed).toBe(1_000);
    const told = socket.told as readonly Readonly<Record<string, unknown>>[];
    expect(told.map(({ contextId, isFinal }) => [contextId, isFinal])).toEqual([
      ["a", null],
      ["a", true],
      ["b", null],
      ["b", null],
      ["b", true],
    ]);
  });
});

describe("realtime transcription of ElevenLabs' double", () => {
  it("commits by voice, with times, in the format that was asked for", async () => {
    const stream = await client.speechToText.realtime.connect({
      modelId: "scribe_v2_realtime",
      audioFormat: AudioFormat.ULAW_8000,
      sampleRate: 8_000,
      commitStrategy: CommitStrategy.VAD,
      vadSilenceThresholdSecs: 0.5,
      includeTimestamps: true,
    });
    const partials: unknown[] = [];
    const started = new Promise((resolve) => stream.on(RealtimeEvents.SESSION_STARTED, resolve));
    const committed = new Promise((resolve) => stream.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, resolve));
    stream.on(RealtimeEvents.PARTIAL_TRANSCRIPT, ({ text }: { text: string }) => partials.push(text));
    expect(await started).toMatchObject({ config: { sample_rate: 8_000, commit_strategy: "vad" } });
    for (const [bytes, byte] of [
      [1_600, 0xaf],
      [4_000, 0xff],
    ] as const)
      stream.send({ audioBase64: Buffer.alloc(bytes, byte).toString("base64") });
    expect(await committed).toMatchObject({ text: "hello I", words: [{ text: "hello", start: 0, end: 0.1 }, {}] });
    expect(partials).toEqual(["hello", "hello I"]);
    stream.close();
  });

  it.each([
    ["", ["committed_transcript"]],
    ["&include_timestamps=true", ["committed_transcript", "committed_transcript_with_timestamps"]],
    ["&include_language_detection=true", ["committed_transcript", "committed_transcript_with_timestamps"]],
  ])("tells a transcript's times or its language where the query asks for them: `%s`", async (asked, told) => {
    const socket = await open(`/v1/speech-to-text/realtime?model_id=m&audio_format=ulaw_8000${asked}`);
    socket.send({ audio_base_64: Buffer.alloc(1_600, 0xaf).toString("base64"), commit: true });
    socket.send({ audio_base_64: Buffer.alloc(800, 0xaf).toString("base64"), commit: false });
    const isNext = ({ message_type: type, text }: Readonly<Record<string, unknown>>): boolean =>
      type === "partial_transcript" && text === "hello" && socket.told.length > told.length + 3;
    await socket.heard(isNext);
    const types = socket.told.map((one) => ("message_type" in one ? String(one.message_type) : ""));
    expect(types.filter((type) => type.startsWith("committed"))).toEqual(told);
    socket.socket.terminate();
  });

  it("refuses a wrong key, and a query without a model, at its handshake", async () => {
    const path = "/v1/speech-to-text/realtime";
    await expect(open(`${path}?model_id=m`, "key-of-nobody")).rejects.toMatchObject({ status: 401 });
    await expect(open(path)).rejects.toMatchObject({ status: 400 });
  });
});

it("voices are listed, page by page, and one by its id", async () => {
  expect((await client.voices.getAll()).voices).toMatchObject([{ name: "Rachel" }, { isOwner: true }]);
  const first = await client.voices.search({ pageSize: 1 });
  expect(first).toMatchObject({ hasMore: true, totalCount: 2, nextPageToken: "1" });
  const second = await client.voices.search({ pageSize: 1, nextPageToken: first.nextPageToken ?? "" });
  expect([second.hasMore, second.voices[0]?.voiceId]).toEqual([false, "double"]);
  expect((await client.voices.search({ voiceIds: ["double"] })).voices).toHaveLength(1);
});

it("speech with timestamps tells when each character is spoken, in seconds", async () => {
  const spoken = await client.textToSpeech.convertWithTimestamps("v", { text: "ab", outputFormat: "ulaw_8000" });
  expect(Buffer.from(spoken.audioBase64, "base64")).toHaveLength(800);
  expect(spoken.alignment).toEqual({
    characters: ["a", "b"],
    characterStartTimesSeconds: [0, 0.05],
    characterEndTimesSeconds: [0.05, 0.1],
  });
});

it("speech comes in the format that was asked for, and a file of it is heard", async () => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.textToSpeech.stream("v", { text: "one two", outputFormat: "pcm_16000" }))
    chunks.push(chunk);
  const file = Buffer.concat(chunks);
  expect(file).toHaveLength(6_400);
  const heard = await client.speechToText.convert({ modelId: "scribe_v2", file, fileFormat: "pcm_s16le_16" });
  expect(heard).toMatchObject({ text: "hello I", words: [{ text: "hello", start: 0, end: 0.1 }, {}] });
});

it.each([
  "GET /v1/voices",
  "GET /v2/voices",
  "POST /v1/text-to-speech/v/with-timestamps",
])("a wrong key is refused in ElevenLabs' words by %s", async (route) => {
  const [method = "", path = ""] = route.split(" ");
  const headers = { "xi-api-key": "key-of-nobody" };
  const answer = await fetch(doubles.endpoints.elevenlabs.baseUrl + path, { method, headers });
  expect([answer.status, await answer.json()]).toMatchObject([401, { detail: { status: "invalid_api_key" } }]);
});
