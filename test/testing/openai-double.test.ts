import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { openSocket } from "../support/double-socket.ts";

const key = "openai-key-of-a-test";
const ids = ["openai", "xai"] as const;
let doubles: ProviderDoubles;

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys: { openai: [key], xai: [key] } });
});
afterAll(() => doubles.close());

const clientOf = (id: (typeof ids)[number], apiKey = key): OpenAI =>
  new OpenAI({ apiKey, baseURL: doubles.endpoints[id].baseUrl, maxRetries: 0 });

const parameters = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" }, unit: { enum: ["C", "F"] } },
  required: ["city", "unit"],
};
const weather = { type: "function", function: { name: "get_weather", parameters } } as const;
const question = { role: "user", content: "please get weather for me" } as const;

describe.each(ids)("chat completions of %s", (id) => {
  const model = "double-1";

  it("count what was read and written", async () => {
    const { usage } = await clientOf(id).chat.completions.create({ model, messages: [question] });
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 });
  });

  it("stream in pieces that arrive one by one, with the usage in the last where it was asked for", async () => {
    const answer = await fetch(`${doubles.endpoints[id].baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, messages: [question], stream: true, stream_options: { include_usage: true } }),
    });
    let pieces = 0;
    let text = "";
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      pieces += 1;
      text += Buffer.from(chunk).toString();
    }
    expect(pieces).toBeGreaterThan(1);
    const chunks = text.split("\n\n").flatMap((one) => (one.includes("{") ? [JSON.parse(one.slice(6))] : []));
    expect(chunks.at(0).choices[0].delta).toMatchObject({ role: "assistant" });
    expect(chunks.map(({ usage }) => usage?.total_tokens ?? null)).toEqual([...chunks.slice(1).map(() => null), 12]);
    expect(chunks.at(-1).choices).toEqual([]);
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("call the tool that the user names, with arguments of its schema, whole and streamed", async () => {
    const client = clientOf(id);
    const request = { model, messages: [question], tools: [weather] };
    const whole = (await client.chat.completions.create(request)).choices[0];
    expect(whole?.finish_reason).toBe("tool_calls");
    const [call] = whole?.message.tool_calls ?? [];
    expect(call).toMatchObject({ function: { name: "get_weather", arguments: '{"city":"double","unit":"C"}' } });
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "get_weather", arguments: '{"city":"double","unit":"C"}' } }] },
    });
    const answered = await client.chat.completions.create({
      ...request,
      messages: [question, whole?.message as never, { role: "tool", tool_call_id: call?.id ?? "", content: "rain" }],
    });
    expect(answered.choices[0]?.message.content).toBe("You said: rain");
  });

  it("call a tool where one must be called, and none where none may be", async () => {
    const client = clientOf(id);
    const messages = [{ role: "user", content: "hello" }] as const;
    const choice = async (tool_choice: OpenAI.ChatCompletionToolChoiceOption, said = "hello") =>
      (
        await client.chat.completions.create({
          model,
          messages: [{ ...messages[0], content: said }],
          tools: [weather],
          tool_choice,
        })
      ).choices[0]?.finish_reason;
    expect(await choice("auto")).toBe("stop");
    expect(await choice("required")).toBe("tool_calls");
    expect(await choice({ type: "function", function: { name: "get_weather" } })).toBe("tool_calls");
    expect(await choice("none", question.content)).toBe("stop");
  });
});

describe.each(ids)("responses of %s", (id) => {
  const request = {
    model: "double-1",
    input: [{ role: "user", content: [{ type: "input_text", text: "hello there" }] }],
  };

  it("answer whole, and stream to the same end", async () => {
    const client = clientOf(id);
    const whole = await client.responses.create(request as never);
    expect(whole).toMatchObject({ output_text: "You said: hello there", usage: { input_tokens: 2, output_tokens: 4 } });
    const stream = client.responses.stream(request as never);
    const events: { readonly type: string; readonly sequence_number: number }[] = [];
    for await (const event of stream) events.push(event);
    expect((await stream.finalResponse()).output_text).toBe("You said: hello there");
    expect(events.map(({ sequence_number: at }) => at)).toEqual(events.map((_, at) => at));
    expect(events.filter(({ type }) => type === "response.output_text.delta")).toHaveLength(4);
  });

  it("call a tool, and take what it answered", async () => {
    const client = clientOf(id);
    const tools = [{ type: "function", name: "get_weather", parameters, strict: false }];
    const [call] = (await client.responses.create({ model: "double-1", input: "get_weather", tools } as never)).output;
    expect(call).toMatchObject({ type: "function_call", name: "get_weather", call_id: expect.any(String) });
    const stream = client.responses.stream({ model: "double-1", input: "get_weather", tools } as never);
    expect((await stream.finalResponse()).output).toMatchObject([{ arguments: '{"city":"double","unit":"C"}' }]);
    const output = { type: "function_call_output", call_id: "call", output: "get weather: rain" };
    expect(await client.responses.create({ model: "double-1", input: [output], tools } as never)).toMatchObject({
      output_text: "You said: get weather: rain",
    });
  });
});

describe("speech and hearing of OpenAI's double", () => {
  it.each([
    ["pcm", "audio/pcm", 9_600],
    ["wav", "audio/wav", 9_644],
    ["mp3", "audio/mpeg", 1_600],
  ] as const)("speaks %s", async (format, type, bytes) => {
    const request = { model: "tts-1", voice: "alloy", input: "one two", response_format: format } as const;
    const answer = await clientOf("openai").audio.speech.create(request);
    expect([answer.headers.get("content-type"), (await answer.arrayBuffer()).byteLength]).toEqual([type, bytes]);
  });

  it("transcribes what it spoke, whole, in detail and streamed", async () => {
    const client = clientOf("openai");
    const speech = { model: "tts-1", voice: "alloy", input: "one two three", response_format: "wav" } as const;
    const file = await toFile(await (await client.audio.speech.create(speech)).arrayBuffer(), "a.wav");
    const { transcriptions } = client.audio;
    expect(await transcriptions.create({ model: "whisper-1", file })).toMatchObject({
      text: "hello I would",
      usage: { type: "duration", seconds: 1 },
    });
    const verbose = await transcriptions.create({ model: "whisper-1", file, response_format: "verbose_json" });
    expect(verbose).toMatchObject({ duration: 0.3, words: [{ word: "hello", start: 0, end: 0.1 }, {}, {}] });
    const heard: unknown[] = [];
    for await (const event of await transcriptions.create({ model: "gpt-4o-transcribe", file, stream: true }))
      heard.push("delta" in event ? event.delta : event.type);
    expect(heard).toEqual(["hello ", "I ", "would", "transcript.text.done"]);
  });
});

describe("speech and hearing of xAI's double", () => {
  const ask = async (path: string, body?: string | FormData): Promise<Response> =>
    await fetch(doubles.endpoints.xai.baseUrl + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body }),
    });

  it("speaks in the format that was asked for, and hears it", async () => {
    const spoken = await ask(
      "/tts",
      JSON.stringify({ text: "one two", language: "en", output_format: { codec: "mulaw", sample_rate: 8_000 } }),
    );
    const audio = new Uint8Array(await spoken.arrayBuffer());
    expect([spoken.headers.get("content-type"), audio.length]).toEqual(["audio/basic", 1_600]);
    const form = new FormData();
    form.append("audio_format", "mulaw");
    form.append("sample_rate", "8000");
    form.append("file", new Blob([audio]), "a.raw");
    expect(await (await ask("/stt", form)).json()).toEqual({
      text: "hello I",
      language: "",
      duration: 0.2,
      words: [
        { text: "hello", start: 0, end: 0.1 },
        { text: "I", start: 0.1, end: 0.2 },
      ],
    });
  });

  it("wants a language, knows its voices in any case, and no others", async () => {
    expect((await ask("/tts", JSON.stringify({ text: "one" }))).status).toBe(400);
    expect(((await (await ask("/tts/voices")).json()) as { voices: unknown[] }).voices).toHaveLength(5);
    expect(await (await ask("/tts/voices/EVE")).json()).toEqual({ voice_id: "eve", name: "Eve" });
    expect((await ask("/tts/voices/adam")).status).toBe(404);
  });

  it("ends a turn on its socket at a pause", async () => {
    const { websocketUrl } = doubles.endpoints.xai;
    const socket = await openSocket(`${websocketUrl}/stt?encoding=mulaw&sample_rate=8000&endpointing=100`, {
      authorization: `Bearer ${key}`,
    });
    for (const byte of [0xaf, 0xff, 0xaf]) socket.send(Buffer.alloc(1_600, byte));
    socket.send({ type: "audio.done" });
    expect(await socket.heard(({ type }) => type === "transcript.done")).toMatchObject({
      text: "hello I",
      duration: 0.6,
    });
    expect(socket.told).toMatchObject([
      { type: "transcript.created" },
      { type: "transcript.partial", text: "hello I", is_final: true, speech_final: true, start: 0, duration: 0.3 },
      { type: "transcript.done" },
    ]);
    socket.socket.terminate();
  });
});

describe.each(ids)("a client secret of %s", (id) => {
  it("opens the realtime API as long as its key is accepted, and nothing else", async () => {
    const { value, expires_at: expiry } = await clientOf(id).post<{ value: string; expires_at: number }>(
      "/realtime/client_secrets",
      { body: { expires_after: { seconds: 60 } } },
    );
    expect(expiry).toEqual(expect.any(Number));
    const open = async () =>
      await openSocket(`${doubles.endpoints[id].websocketUrl}/realtime?model=m`, { authorization: `Bearer ${value}` });
    const socket = await open();
    expect(await socket.heard(({ type }) => type === "session.created")).toBeDefined();
    socket.socket.terminate();
    const wrong = id === "xai" ? 400 : 401;
    await expect(clientOf(id, value).models.list()).rejects.toMatchObject({ status: wrong });
    doubles.revoke(id, key);
    await expect(open()).rejects.toMatchObject({ status: wrong });
    doubles.accept(id, key);
  });
});

describe.each([
  ["openai", 401, { error: { code: "invalid_api_key" } }],
  ["xai", 400, { error: expect.stringContaining("API key") }],
] as const)("%s refuses in its own words", (id, status, body) => {
  const paths = {
    openai: ["/responses", "/audio/speech", "/audio/transcriptions", "/realtime/client_secrets"],
    xai: ["/responses", "/tts", "/stt", "/realtime/client_secrets"],
  }[id];
  const post = async (path: string, shown: string): Promise<unknown[]> => {
    const headers = { authorization: `Bearer ${shown}` };
    const answer = await fetch(doubles.endpoints[id].baseUrl + path, { method: "POST", headers, body: "{}" });
    return [answer.status, await answer.json()];
  };

  it.each(paths)("a wrong key by %s", async (path) => {
    expect(await post(path, "key-of-nobody")).toMatchObject([status, body]);
  });

  it.each(paths.slice(0, 3))("what is missing by %s", async (path) => {
    const words = id === "xai" ? { code: expect.any(String) } : { error: { code: "missing_required_parameter" } };
    expect(await post(path, key)).toMatchObject([400, words]);
  });
});

it("xAI's transcription refuses a wrong key at the handshake", async () => {
  const opening = openSocket(`${doubles.endpoints.xai.websocketUrl}/stt`, { authorization: "Bearer key-of-nobody" });
  await expect(opening).rejects.toMatchObject({ status: 400, body: { code: "Client specified an invalid argument" } });
});
