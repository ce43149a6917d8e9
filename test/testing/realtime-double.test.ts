import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";

const key = "key-of-a-test";
const ids = ["openai", "xai"] as const;
let doubles: ProviderDoubles;
const opened: (ToldSocket["socket"] | WebSocket)[] = [];

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys: { openai: [key], xai: [key] } });
});
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate();
});
afterAll(() => doubles.close());

/** 24 kHz, 16 bits. */
const speech = (ms: number): string => {
  const audio = Buffer.alloc(ms * 48);
  for (let at = 0; at < audio.length; at += 2) audio.writeInt16LE(at % 80 < 40 ? 9_000 : -9_000, at);
  return audio.toString("base64");
};
const silence = (ms: number): string => Buffer.alloc(ms * 48).toString("base64");
const typesOf = ({ told }: ToldSocket): unknown[] => told.map((one) => "type" in one && one.type);

describe.each(ids)("the realtime API of %s", (id) => {
  const open = async (query = "model=m"): Promise<ToldSocket> => {
    const headers = { authorization: `Bearer ${key}` };
    const one = await openSocket(`${doubles.endpoints[id].websocketUrl}/realtime?${query}`, headers);
    opened.push(one.socket);
    return one;
  };

  it("hears a turn, writes down what it heard, and answers it in speech", async () => {
    const socket = await open();
    socket.send({
      type: "session.update",
      session: { audio: { input: { transcription: { model: "m" }, turn_detection: { silence_duration_ms: 200 } } } },
    });
    for (const audio of [speech(300), silence(250)]) socket.send({ type: "input_audio_buffer.append", audio });
    const done = await socket.heard(({ type }) => type === "response.done");
    expect(done).toMatchObject({
      response: {
        status: "completed",
        output: [{ role: "assistant", content: [{ transcript: "You said: hello I would" }] }],
        usage: { input_tokens: 3, output_tokens: 5, total_tokens: 8 },
      },
    });
    expect([...new Set(typesOf(socket))]).toEqual([
      "session.created",
      "session.updated",
      "input_audio_buffer.speech_started",
      "input_audio_buffer.speech_stopped",
      "input_audio_buffer.committed",
      "conversation.item.added",
      "conversation.item.done",
      "conversation.item.input_audio_transcription.delta",
      "conversation.item.input_audio_transcription.completed",
      "response.created",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_audio_transcript.delta",
      "response.output_audio.delta",
      "response.output_audio.done",
      "response.output_audio_transcript.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.done",
    ]);
    const spoken = socket.told.filter((one) => "type" in one && one.type === "response.output_audio.delta");
    expect(spoken.map((one) => Buffer.from(String("delta" in one && one.delta), "base64").length)).toEqual(
      Array.from({ length: 5 }, () => 4_800),
    );
  });

  it("answers what was written, in text where text is asked for", async () => {
    const socket = await open();
    const content = [{ type: "input_text", text: "good morning" }];
    socket.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
    socket.send({ type: "response.create", response: { output_modalities: ["text"], metadata: { turn: "1" } } });
    expect(await socket.heard(({ type }) => type === "response.done")).toMatchObject({
      response: { metadata: { turn: "1" }, output: [{ content: [{ text: "You said: good morning" }] }] },
    });
    expect(typesOf(socket)).not.toContain("response.output_audio.delta");
  });

  it("calls the tool that is named, and answers what the tool said", async () => {
    const socket = await open();
    const tools = [{ type: "function", name: "open_door", parameters: { type: "object" } }];
    const create = (item: object): void => socket.send({ type: "conversation.item.create", item });
    socket.send({ type: "session.update", session: { tools } });
    create({ type: "message", role: "user", content: [{ type: "input_text", text: "open door" }] });
    socket.send({ type: "response.create" });
    expect(await socket.heard(({ type }) => type === "response.done")).toMatchObject({
      response: { output: [{ type: "function_call", name: "open_door", arguments: "{}" }] },
    });
    create({ type: "function_call_output", call_id: "call", output: "open door: done" });
    socket.send({ type: "response.create", response: { metadata: { turn: "2" } } });
    const isSecond = ({ type, response }: Readonly<Record<string, unknown>>): boolean =>
      type === "response.done" && (response as { metadata?: object }).metadata !== undefined;
    expect(await socket.heard(isSecond)).toMatchObject({
      response: { output: [{ content: [{ transcript: "You said: open door: done" }] }] },
    });
  });

  it("answers nothing by itself where turns are not detected, or speech is only written down", async () => {
    const manual = await open();
    manual.send({ type: "session.update", session: { audio: { input: { turn_detection: null } } } });
    const transcribing = await open("intent=transcription");
    for (const socket of [manual, transcribing]) {
      for (const audio of [speech(300), silence(900)]) socket.send({ type: "input_audio_buffer.append", audio });
      socket.send({ type: "input_audio_buffer.clear" });
      await socket.heard(({ type }) => type === "input_audio_buffer.cleared");
      expect(typesOf(socket)).not.toContain("response.created");
    }
    expect(typesOf(manual)).not.toContain("input_audio_buffer.committed");
    expect(typesOf(transcribing)).toContain("input_audio_buffer.committed");
  });

  it("says which event it does not know", async () => {
    const socket = await open();
    socket.send({ type: "constructor", event_id: "mine" });
    expect(await socket.heard(({ type }) => type === "error")).toMatchObject({
      error: { code: "invalid_value", event_id: "mine" },
    });
  });
});

describe("a realtime socket of a browser", () => {
  /** The subprotocol that was chosen, or the status of the refusal. */
  const open = async (id: (typeof ids)[number], protocols: string[], path = "/realtime?model=m") => {
    const socket = new WebSocket(doubles.endpoints[id].websocketUrl + path, protocols);
    opened.push(socket);
    socket.on("error", () => {});
    return await new Promise<string | number>((resolve) => {
      socket.on("open", () => resolve(socket.protocol));
      socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
    });
  };
  const secretOf = async (id: (typeof ids)[number], shown = key): Promise<string> => {
    const client = new OpenAI({ apiKey: shown, baseURL: doubles.endpoints[id].baseUrl, maxRetries: 0 });
    return (await client.post<{ value: string }>("/realtime/client_secrets", { body: {} })).value;
  };

  it("shows OpenAI's key or client secret as a subprotocol, which is not the one that is chosen", async () => {
    for (const shown of [key, await secretOf("openai")]) {
      doubles.clear();
      const credential = `openai-insecure-api-key.${shown}`;
      expect(await open("openai", ["realtime", credential])).toBe("realtime");
      expect(await open("openai", [credential, "realtime"])).toBe("realtime");
      expect(doubles.requests.map((one) => [one.key, one.accepted])).toEqual([
        [shown, true],
        [shown, true],
      ]);
    }
  });

  it("shows xAI's client secret as its only subprotocol, and no key", async () => {
    const credential = `xai-client-secret.${await secretOf("xai")}`;
    expect(await open("xai", [credential])).toBe(credential);
    expect(await open("xai", [credential], "/stt")).toBe(credential);
    expect(await open("xai", [credential], "/tts?language=en")).toBe(credential);
    expect(await open("xai", [`xai-client-secret.${key}`])).toBe(400);
    expect(await open("xai", [`openai-insecure-api-key.${key}`])).toBe(400);
  });

  it("is refused with a wrong key, or a secret whose key is gone, as a subprotocol", async () => {
    doubles.accept("openai", "key-that-goes");
    doubles.accept("xai", "key-that-goes");
    const [secret, xaiSecret] = [await secretOf("openai", "key-that-goes"), await secretOf("xai", "key-that-goes")];
    doubles.revoke("openai", "key-that-goes");
    doubles.revoke("xai", "key-that-goes");
    for (const shown of ["key-of-nobody", secret])
      expect(await open("openai", ["realtime", `openai-insecure-api-key.${shown}`])).toBe(401);
    expect(await open("xai", [`xai-client-secret.${xaiSecret}`])).toBe(400);
  });

  it("shows a subprotocol in vain where a header shows a wrong key, and on other paths", async () => {
    const protocols = ["realtime", `openai-insecure-api-key.${key}`];
    expect(await open("openai", protocols, "/responses")).toBe(401);
    const socket = new WebSocket(`${doubles.endpoints.openai.websocketUrl}/realtime?model=m`, protocols, {
      headers: { authorization: "Bearer key-of-nobody" },
    });
    opened.push(socket);
    socket.on("error", () => {});
    expect(await new Promise((resolve) => socket.on("unexpected-response", (_, one) => resolve(one.statusCode)))).toBe(
      401,
    );
    const { status } = await fetch(`${doubles.endpoints.openai.baseUrl}/realtime`, {
      headers: { "sec-websocket-protocol": protocols[1] ?? "" },
    });
    expect(status).toBe(401);
  });
});
