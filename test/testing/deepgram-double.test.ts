import { DeepgramClient } from "@deepgram/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";

const key = "deepgram-key-of-a-test";
const headers = { authorization: `Token ${key}` };
let doubles: ProviderDoubles;
let client: DeepgramClient;
const opened: ToldSocket[] = [];

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys: { deepgram: [key] } });
  client = clientOf(key);
});
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});
afterAll(() => doubles.close());

function clientOf(apiKey: string): DeepgramClient {
  const { baseUrl: base, websocketUrl: production } = doubles.endpoints.deepgram;
  return new DeepgramClient({ apiKey, maxRetries: 0, environment: { base, production, agent: "", agentRest: "" } });
}

async function open(path: string, shown: Record<string, string> = headers): Promise<ToldSocket> {
  const one = await openSocket(doubles.endpoints.deepgram.websocketUrl + path, shown);
  opened.push(one);
  return one;
}

/** Of 16 kHz linear16 unless it is told otherwise. */
const speech = (ms: number, bytesPerMs = 32): Buffer => {
  const audio = Buffer.alloc(ms * bytesPerMs);
  for (let at = 0; at + 1 < audio.length; at += 2) audio.writeInt16LE(at % 80 < 40 ? 9_000 : -9_000, at);
  return audio;
};
const silence = (ms: number, bytesPerMs = 32): Buffer => Buffer.alloc(ms * bytesPerMs);
const linear16 = "model=nova-3&encoding=linear16&sample_rate=16000";

type Told = Readonly<Record<string, unknown>>;

/** Sends, closes the stream, and hands out what was told of one type. */
async function tellingOf(query: string, sent: readonly Buffer[]): Promise<Told[]> {
  const socket = await open(`/v1/listen?${query}`);
  for (const audio of sent) socket.send(audio);
  socket.send({ type: "CloseStream" });
  expect(await socket.closed).toBe(1_000);
  return socket.told as Told[];
}

const spoken = ({ channel }: Told): string =>
  (channel as { alternatives: { transcript: string }[] }).alternatives[0]?.transcript ?? "";

describe("the live socket of Deepgram's double", () => {
  it("tells the request, the model and each word's time with every result", async () => {
    const told = await tellingOf(`${linear16}&interim_results=true`, [silence(300), speech(200)]);
    expect(told[1]).toMatchObject({
      type: "Results",
      is_final: false,
      speech_final: false,
      start: 0,
      duration: 0.5,
      metadata: { request_id: expect.any(String), model_info: { name: "nova-3", arch: "nova-3" } },
      channel: {
        alternatives: [
          {
            words: [
              { word: "hello", start: 0.3, end: 0.4 },
              { start: 0.4, end: 0.5 },
            ],
          },
        ],
      },
    });
    expect(told.at(-1)).toMatchObject({ type: "Metadata", duration: 0.5, channels: 1, sha256: expect.any(String) });
  });

  it.each([
    ["linear16 of 16 kHz", "encoding=linear16&sample_rate=16000", speech(1_000), 1],
    ["linear16 of 48 kHz and two channels", "encoding=linear16&sample_rate=48000&channels=2", speech(1_000, 192), 1],
    ["mu-law of 8 kHz", "encoding=mulaw&sample_rate=8000", Buffer.alloc(8_000, 0xaf), 1],
    ["A-law of 8 kHz", "encoding=alaw&sample_rate=8000", Buffer.alloc(8_000, 0x85), 1],
    ["opus, of which it reads nothing", "encoding=opus&sample_rate=48000", Buffer.alloc(8_000), 1],
  ])("takes the length from the query: a second of %s", async (_name, query, audio, seconds) => {
    const told = await tellingOf(`model=nova-3&${query}`, [audio]);
    expect(told.at(-1)).toMatchObject({ type: "Metadata", duration: seconds });
    const said = told.filter(({ type }) => type === "Results").map(spoken);
    expect(said.filter((words) => words !== "").map((words) => words.split(" ").length)).toEqual([10]);
  });

  it.each([
    ["linear16", speech(300), silence(300), "encoding=linear16&sample_rate=16000"],
    ["mu-law", Buffer.alloc(2_400, 0xaf), Buffer.alloc(2_400, 0xff), "encoding=mulaw&sample_rate=8000"],
    ["A-law", Buffer.alloc(2_400, 0x85), Buffer.alloc(2_400, 0xd5), "encoding=alaw&sample_rate=8000"],
  ])("ends a turn at a pause in %s, once", async (_name, loud, quiet, query) => {
    const told = await tellingOf(`model=nova-3&${query}&endpointing=200`, [quiet, loud, quiet, loud, quiet]);
    const finals = told.filter(({ speech_final }) => speech_final);
    expect(finals.map(spoken)).toEqual(["hello I would", "hello I would", ""]);
    expect(finals.map(({ start }) => start)).toEqual([0, 0.8, 1.4]);
  });

  it("ends no turn before the pause is as long as was asked, however it is cut into frames", async () => {
    const audio = Buffer.concat([speech(300), silence(290), speech(300)]);
    const frames = Array.from({ length: Math.ceil(audio.length / 77) }, (_, at) =>
      audio.subarray(at * 77, at * 77 + 77),
    );
    const told = await tellingOf(`${linear16}&endpointing=300`, frames);
    expect(told.filter(({ speech_final }) => speech_final).map(spoken)).toEqual(["hello I would like to know"]);
    const never = await tellingOf(`${linear16}&endpointing=false`, [speech(300), silence(3_000), speech(100)]);
    expect(never.filter(({ speech_final }) => speech_final).map(spoken)).toEqual(["hello I would like"]);
  });

  it("tells the beginning of speech and the end of an utterance to those who asked", async () => {
    const audio = [silence(100), speech(200), silence(1_500), speech(100)];
    const told = await tellingOf(`${linear16}&vad_events=true&utterance_end_ms=1000`, audio);
    const events = told.filter(({ type }) => type === "SpeechStarted" || type === "UtteranceEnd");
    expect(events).toEqual([
      { type: "SpeechStarted", channel: [0], timestamp: 0.11 },
      { type: "UtteranceEnd", channel: [0, 1], last_word_end: 0.3 },
      { type: "SpeechStarted", channel: [0], timestamp: 1.81 },
    ]);
    const unasked = await tellingOf(linear16, audio);
    expect(unasked.filter(({ type }) => type === "SpeechStarted" || type === "UtteranceEnd")).toEqual([]);
  });

  it("answers the SDK's Finalize with what it holds, and KeepAlive with nothing", async () => {
    const socket = await client.listen.v1.connect({
      model: "nova-3",
      encoding: "linear16",
      sample_rate: 16_000,
      reconnectAttempts: 0,
    } as never);
    const told: unknown[] = [];
    const finalized = new Promise((resolve) =>
      socket.on("message", (message) => {
        told.push(message);
        if (message.type === "Results" && message.from_finalize) resolve(message);
      }),
    );
    socket.connect();
    await socket.waitForOpen();
    socket.sendKeepAlive({ type: "KeepAlive" });
    socket.sendMedia(speech(200));
    socket.sendFinalize({ type: "Finalize" });
    expect(await finalized).toMatchObject({
      is_final: true,
      channel: { alternatives: [{ transcript: "hello I" }] },
    });
    expect(told).toHaveLength(1);
    socket.close();
  });

  it.each([
    ["", 0],
    ["&interim_results=false", 0],
    ["&interim_results=true", 5],
  ])("interim results come only where they are asked for: `%s`", async (asked, interim) => {
    const told = await tellingOf(linear16 + asked, [speech(500)]);
    const isFinal = told.filter(({ type }) => type === "Results").map(({ is_final }) => is_final);
    expect(isFinal).toEqual([...Array.from({ length: interim }, () => false), true]);
  });

  it("audio without pauses, as opus is, is told of message by message", async () => {
    const opus = "model=nova-3&encoding=opus&sample_rate=48000";
    const told = await tellingOf(opus, [Buffer.alloc(1_600), Buffer.alloc(800)]);
    const results = told.filter(({ type }) => type === "Results");
    expect(results.map((one) => [spoken(one), one["is_final"], one["speech_final"]])).toEqual([
      ["hello I", true, false],
      ["would", true, false],
      ["", true, true],
    ]);
  });
});

describe("Flux's socket of Deepgram's double", () => {
  const flux = "/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=16000";
  const turnsOf = (socket: ToldSocket): unknown[] =>
    socket.told.flatMap((message) => ("event" in message && message.event !== "Update" ? [message.event] : []));

  it("counts its messages and tells turns, through the SDK", async () => {
    const socket = await client.listen.v2.connect({
      model: "flux-general-en",
      encoding: "linear16",
      sample_rate: 16_000,
      reconnectAttempts: 0,
    } as never);
    const told: { readonly type?: string; readonly event?: string; readonly sequence_id?: number }[] = [];
    const ended = new Promise((resolve) =>
      socket.on("message", (message) => {
        told.push(message as never);
        if ("event" in message && message.event === "EndOfTurn") resolve(message);
      }),
    );
    socket.connect();
    await socket.waitForOpen();
    socket.sendMedia(speech(600));
    socket.sendMedia(silence(350));
    expect(await ended).toMatchObject({
      turn_index: 0,
      trigger: "model",
      transcript: "hello I would like to know",
      words: [{ word: "hello", start: 0, end: 0.1 }, {}, {}, {}, {}, {}],
      audio_window_start: 0,
      audio_window_end: 0.95,
      end_of_turn_confidence: 0.7,
    });
    expect(told.map(({ sequence_id }) => sequence_id)).toEqual(told.map((_, at) => at));
    expect([told[0]?.type, told[1]?.event]).toEqual(["Connected", "StartOfTurn"]);
    expect(told.slice(2, -1).map(({ event }) => event)).toEqual(["Update", "Update", "Update"]);
    socket.close();
  });

  it("tells an eager end, and takes it back when speech goes on, where a threshold was given", async () => {
    const socket = await open(`${flux}&eager_eot_threshold=0.4`);
    for (const audio of [speech(200), silence(250), speech(200), silence(400), speech(100)]) socket.send(audio);
    await socket.heard(({ turn_index, event }) => turn_index === 1 && event === "StartOfTurn");
    const turn = ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"];
    expect(turnsOf(socket)).toEqual([...turn, "StartOfTurn"]);
    const [eager, end] = ["EagerEndOfTurn", "EndOfTurn"].map((name) =>
      socket.told.findLast((message) => "event" in message && message.event === name),
    );
    expect(eager).toMatchObject({ transcript: (end as { transcript: string }).transcript });
  });

  it("leaves the end of a turn to ForceEndTurn and to the time limit at a threshold of 1", async () => {
    const socket = await open(`${flux}&eot_threshold=1`);
    socket.send(speech(200));
    socket.send(silence(2_000));
    socket.send({ type: "ForceEndTurn" });
    expect(await socket.heard(({ event }) => event === "EndOfTurn")).toMatchObject({ trigger: "manual" });
    socket.send({ type: "Configure", thresholds: { eot_timeout_ms: 1_000 } });
    socket.send(speech(200));
    socket.send(silence(1_000));
    const second = await socket.heard(({ event, turn_index }) => event === "EndOfTurn" && turn_index === 1);
    expect(second).toMatchObject({ trigger: "timeout", audio_window_start: 2.2 });
    expect(await socket.heard(({ type }) => type === "ConfigureSuccess")).toMatchObject({
      thresholds: { eot_threshold: 1, eot_timeout_ms: 1_000 },
    });
  });
});

describe("speech of Deepgram's double", () => {
  it("is spoken by the socket at a flush, in the encoding that was asked for, through the SDK", async () => {
    const socket = await client.speak.v1.connect({
      model: "aura-2-thalia-en",
      encoding: "mulaw",
      sample_rate: 8_000,
      reconnectAttempts: 0,
    } as never);
    const told: unknown[] = [];
    const closed = new Promise((resolve) => socket.on("close", resolve));
    const flushed = new Promise((resolve) =>
      socket.on("message", (message) => {
        told.push(message);
        if (typeof message === "object" && "type" in message && message.type === "Flushed") resolve(message);
      }),
    );
    socket.connect();
    await socket.waitForOpen();
    socket.sendText({ type: "Speak", text: "never to be heard" });
    socket.sendClear({ type: "Clear" });
    socket.sendText({ type: "Speak", text: "one two " });
    socket.sendText({ type: "Speak", text: "three" });
    socket.sendFlush({ type: "Flush" });
    expect(await flushed).toEqual({ type: "Flushed", sequence_id: 1 });
    expect(told[0]).toMatchObject({ type: "Metadata", model_name: "aura-2-thalia-en" });
    expect(told).toHaveLength(6);
    socket.sendClose({ type: "Close" });
    await closed;
  });

  it("is heard by its own ears", async () => {
    const speak = await open("/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=16000");
    speak.send({ type: "Speak", text: "one two three" });
    speak.send({ type: "Close" });
    await speak.closed;
    const audio = speak.told.filter(Buffer.isBuffer);
    expect(audio.map(({ length }) => length)).toEqual([3_200, 3_200, 3_200]);
    expect((await tellingOf(linear16, audio)).filter(({ type }) => type === "Results").map(spoken)).toContain(
      "hello I would",
    );
  });

  it("answers a request with as much audio as there are words", async () => {
    const answer = await client.speak.v1.audio.generate({
      text: "one two",
      encoding: "linear16",
      sample_rate: 16_000,
    } as never);
    expect((await answer.arrayBuffer()).byteLength).toBe(6_400);
  });
});

it("a file's transcript comes with its metadata and its words", async () => {
  const heard = await client.listen.v1.media.transcribeFile(speech(300), { model: "nova-3" } as never);
  expect(heard).toMatchObject({
    metadata: { request_id: expect.any(String), duration: 1.2, channels: 1, models: [expect.any(String)] },
    results: {
      channels: [
        {
          alternatives: [
            {
              transcript: expect.stringContaining("hello"),
              words: expect.arrayContaining([expect.objectContaining({ word: "hello", start: 0, end: 0.1 })]),
            },
          ],
        },
      ],
    },
  });
});

it("a granted token opens what its key opens, as long as the key is accepted, and is no key", async () => {
  const { access_token: granted, expires_in: seconds } = await client.auth.v1.tokens.grant();
  expect(seconds).toBe(30);
  await open(`/v1/listen?${linear16}`, { authorization: `Bearer ${granted}` });
  await expect(open(`/v1/listen?${linear16}`, { authorization: `Bearer ${key}` })).rejects.toMatchObject({
    status: 401,
  });
  await expect(open(`/v1/listen?${linear16}`, { authorization: `Token ${granted}` })).rejects.toMatchObject({
    status: 401,
  });
  doubles.revoke("deepgram", key);
  await expect(open(`/v1/listen?${linear16}`, { authorization: `Bearer ${granted}` })).rejects.toMatchObject({
    status: 401,
  });
  doubles.accept("deepgram", key);
});

describe("a socket of a browser", () => {
  /** The subprotocol that was chosen, or the status of the refusal. */
  const openIn = async (protocols: string[], path = "/v1/listen?model=nova-3"): Promise<string | number> => {
    const socket = new WebSocket(doubles.endpoints.deepgram.websocketUrl + path, protocols);
    socket.on("error", () => {});
    const told = await new Promise<string | number>((resolve) => {
      socket.on("open", () => resolve(socket.protocol));
      socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
    });
    socket.terminate();
    return told;
  };

  it.each([
    "/v1/listen?model=nova-3",
    "/v2/listen?model=flux-general-en",
    "/v1/speak?model=m",
  ])("shows Deepgram's key or a granted token as a subprotocol of %s, each by its own scheme", async (path) => {
    const { access_token: granted } = await client.auth.v1.tokens.grant();
    expect(await openIn(["token", key], path)).toBe("token");
    expect(await openIn(["bearer", granted], path)).toBe("bearer");
    expect(await openIn(["bearer", key], path)).toBe(401);
    expect(await openIn(["token", granted], path)).toBe(401);
  });

  it("is refused with a wrong key as a subprotocol", async () => {
    expect(await openIn(["token", "deepgram-key-of-nobody"])).toBe(401);
    expect(await openIn([key])).toBe(401);
  });
});

it("public models are listed without a key, a project's with one", async () => {
  const { baseUrl } = doubles.endpoints.deepgram;
  const publicModels = await fetch(`${baseUrl}/v1/models`);
  expect(await publicModels.json()).toMatchObject({
    stt: [{ canonical_name: "nova-3" }],
    tts: [{ architecture: "aura-2" }],
  });
  expect((await fetch(`${baseUrl}/v1/models`, { headers: { authorization: "Token of-nobody" } })).status).toBe(401);
  expect((await fetch(`${baseUrl}/v1/projects/double/models`)).status).toBe(401);
  const { projects } = await client.manage.v1.projects.list();
  expect(projects).toHaveLength(1);
  expect((await fetch(`${baseUrl}/v1/projects/double/models`, { headers })).status).toBe(200);
});

describe("a wrong key is refused in Deepgram's words", () => {
  const wrong = { authorization: "Token deepgram-key-of-nobody" };
  it.each([
    "/v1/listen?model=nova-3",
    "/v2/listen?model=flux-general-en",
    "/v1/speak?model=aura-2-thalia-en",
  ])("at the handshake of %s", async (path) => {
    await expect(open(path, wrong)).rejects.toMatchObject({ status: 401, body: { err_code: "INVALID_AUTH" } });
  });

  it.each([
    "/v1/auth/grant",
    "/v1/listen?model=nova-3",
    "/v1/speak?model=aura-2-thalia-en",
  ])("by POST %s", async (path) => {
    const answer = await fetch(doubles.endpoints.deepgram.baseUrl + path, {
      method: "POST",
      headers: wrong,
      body: "{}",
    });
    expect([answer.status, await answer.json()]).toMatchObject([401, { err_code: "INVALID_AUTH" }]);
  });
});

it("a query without a model, or with an unknown encoding, is refused", async () => {
  for (const path of ["/v1/listen", "/v2/listen", "/v1/listen?model=nova-3&encoding=wav"])
    await expect(open(path)).rejects.toMatchObject({ status: 400, body: { err_code: "INVALID_QUERY_PARAMETER" } });
});
