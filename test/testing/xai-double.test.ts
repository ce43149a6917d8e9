import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";

const [key, other] = ["key-of-a-test", "key-of-another-team"] as const;
let doubles: ProviderDoubles;
const opened: ToldSocket[] = [];

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys: { xai: [key, other] } });
  doubles.accept("xai", "restricted-key", { restricted: true });
});
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});
afterAll(() => doubles.close());

type Json = Readonly<Record<string, unknown>>;

const ask = async (method: string, path: string, body?: FormData | object, shown: string = key) => {
  const answer = await fetch(doubles.endpoints.xai.baseUrl + path, {
    method,
    headers: { authorization: `Bearer ${shown}` },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return [answer.status, text.startsWith("{") ? (JSON.parse(text) as Json) : {}] as const;
};
const formOf = (fields: Readonly<Record<string, string>>, file?: Blob): FormData => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file !== undefined) form.append("file", file, "reference.wav");
  return form;
};
const clone = async (shown: string = key): Promise<string> => {
  const form = formOf({ name: "Narrator", language: "en" }, new Blob(["audio"]));
  return String((await ask("POST", "/custom-voices", form, shown))[1]["voice_id"]);
};
const open = async (query: string, shown: string = key): Promise<ToldSocket> => {
  const headers = { authorization: `Bearer ${shown}` };
  const one = await openSocket(`${doubles.endpoints.xai.websocketUrl}/tts?${query}`, headers);
  opened.push(one);
  return one;
};

describe("custom voices of xAI's double", () => {
  it("are made from a reference, changed, and deleted", async () => {
    const [status, voice] = await ask(
      "POST",
      "/custom-voices",
      formOf({ name: "Narrator", tone: "warm" }, new Blob(["a"])),
    );
    expect([status, voice]).toEqual([
      200,
      expect.objectContaining({
        voice_id: expect.stringMatching(/^[a-z0-9]{8}$/u),
        name: "Narrator",
        tone: "warm",
        age: null,
        created_at: expect.any(String),
      }),
    ]);
    const path = `/custom-voices/${voice["voice_id"]}`;
    expect(await ask("GET", path)).toEqual([200, voice]);
    const changed = { ...voice, tone: null, name: "Reader" };
    expect(await ask("PATCH", path, { tone: null, name: "Reader", voice_id: "mine" })).toEqual([200, changed]);
    expect((await ask("PATCH", path, { name: "" }))[0]).toBe(400);
    expect(await ask("GET", path)).toEqual([200, changed]);
    expect((await ask("DELETE", path))[0]).toBe(200);
    expect((await ask("GET", path))[0]).toBe(404);
  });

  it("are not made without a reference", async () => {
    expect((await ask("POST", "/custom-voices", formOf({ name: "Narrator" })))[0]).toBe(400);
  });

  it("are their team's own, page by page, and never among the built-in ones", async () => {
    doubles.accept("xai", "key-of-a-new-team");
    const list = async (query = "", shown = "key-of-a-new-team") =>
      (await ask("GET", `/custom-voices${query}`, undefined, shown))[1] as unknown as {
        readonly voices: readonly { readonly voice_id: string }[];
        readonly pagination_token: string | null;
      };
    expect(await list()).toEqual({ voices: [], pagination_token: null });
    const made = [await clone("key-of-a-new-team"), await clone("key-of-a-new-team")];
    const first = await list("?limit=1");
    const second = await list(`?limit=1&pagination_token=${first.pagination_token}`);
    const pages = [first, second].flatMap(({ voices }) => voices.map(({ voice_id }) => voice_id));
    expect([pages, second.pagination_token]).toEqual([made.toReversed(), null]);
    const theirs = (await list("", other)).voices.map(({ voice_id }) => voice_id);
    expect(theirs.filter((id) => made.includes(id))).toEqual([]);
    expect((await ask("GET", `/custom-voices/${made[0]}`, undefined, other))[0]).toBe(404);
    const builtin = (await ask("GET", "/tts/voices"))[1]["voices"] as readonly { voice_id: string }[];
    expect(builtin.map(({ voice_id }) => voice_id)).toEqual(["eve", "ara", "rex", "sal", "leo"]);
  });

  it("speak for their team, and for no other", async () => {
    const voice = await clone();
    const body = { text: "one", language: "en", voice_id: voice };
    expect((await ask("POST", "/tts", body))[0]).toBe(200);
    expect((await ask("POST", "/tts", body, other))[0]).toBe(404);
    await open(`language=en&voice=${voice}`);
    await expect(open(`language=en&voice=${voice}`, other)).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    ["GET", "/custom-voices"],
    ["POST", "/custom-voices"],
    ["GET", "/custom-voices/12345678"],
    ["PATCH", "/custom-voices/12345678"],
    ["DELETE", "/custom-voices/12345678"],
  ])("a wrong key by %s %s is refused, and so is one without the scope", async (method, path) => {
    const refused = await ask(method, path, undefined, "key-of-nobody");
    expect(refused).toMatchObject([400, { error: expect.stringContaining("API key") }]);
    expect((await ask(method, path, undefined, "restricted-key"))[0]).toBe(403);
  });
});

describe("the speech socket of xAI's double", () => {
  it("speaks each utterance once it is done, in the format of the query, and stays open", async () => {
    const socket = await open("language=en&voice=ARA&codec=mulaw&sample_rate=8000");
    const isDone = ({ type }: Json): boolean => type === "audio.done";
    socket.send({ type: "session.update", replace: {} });
    socket.send({ type: "text.delta", delta: "one tw" });
    socket.send({ type: "text.delta", delta: "o" });
    socket.send({ type: "text.done" });
    expect(await socket.heard(({ type }) => type === "session.updated")).toMatchObject({ replace: {} });
    expect(await socket.heard(isDone)).toEqual({ type: "audio.done", trace_id: expect.any(String) });
    const lengths = socket.told.flatMap((one) =>
      "delta" in one ? [Buffer.from(String(one.delta), "base64").length] : [],
    );
    expect(lengths).toEqual([800, 800]);
    const before = socket.told.length;
    socket.send({ type: "text.delta", delta: "three" });
    socket.send({ type: "text.done" });
    await socket.heard((one) => socket.told.indexOf(one) >= before && isDone(one));
    expect(socket.told.slice(before).map((one) => "type" in one && one.type)).toEqual(["audio.delta", "audio.done"]);
  });

  it("drops the text that is cleared", async () => {
    const socket = await open("language=en&codec=pcm");
    socket.send({ type: "text.delta", delta: "never" });
    socket.send({ type: "text.clear" });
    socket.send({ type: "text.done" });
    await socket.heard(({ type }) => type === "audio.done");
    expect(socket.told.map((one) => "type" in one && one.type)).toEqual(["audio.clear", "audio.done"]);
  });

  it("begins a wav with its header, and says what it does not know", async () => {
    const socket = await open("language=en&codec=wav");
    socket.send({ type: "text.delta", delta: "one" });
    socket.send({ type: "text.done" });
    const header = await socket.heard(({ type }) => type === "audio.delta");
    expect(Buffer.from(String(header["delta"]), "base64").toString("latin1", 0, 4)).toBe("RIFF");
    for (const wrong of [{ type: "text.flush" }, { type: "text.delta", delta: "x".repeat(15_001) }]) {
      const before = socket.told.length;
      socket.send(wrong);
      await socket.heard((one) => socket.told.indexOf(one) >= before && one["type"] === "error");
    }
  });

  it.each([
    ["voice=eve", "no language", 400, "Client specified an invalid argument"],
    ["language=en&codec=opus", "an unknown codec", 400, "Client specified an invalid argument"],
    ["language=en&sample_rate=11025", "an unknown sample rate", 400, "Client specified an invalid argument"],
    ["language=en&voice=adam", "an unknown voice", 404, "Some requested entity was not found"],
  ])("refuses `%s`: %s", async (query, _what, status, code) => {
    await expect(open(query)).rejects.toMatchObject({ status, body: { code } });
  });

  it("refuses a wrong key at the handshake", async () => {
    await expect(open("language=en", "key-of-nobody")).rejects.toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("API key") },
    });
  });
});
