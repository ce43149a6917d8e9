import { connect } from "node:net";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type DoubleId, type Fault, type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { certificate } from "../support/certificate.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";
import { waitFor } from "../support/wait-for.ts";

const key = "key-of-a-test";
const other = "key-of-another-test";
const keys = Object.fromEntries(["openai", "deepgram", "elevenlabs", "xai", "resend"].map((id) => [id, [key, other]]));
/** A socket of each, and what makes it tell a frame. */
const sockets = {
  openai: ["/realtime?model=m", { type: "response.create" }],
  xai: ["/realtime?model=m", { type: "response.create" }],
  deepgram: ["/v1/listen?model=nova-3", { type: "Finalize" }],
  elevenlabs: ["/v1/text-to-speech/v/stream-input", { text: "word " }],
} as const;
const ids = Object.keys(sockets) as (keyof typeof sockets)[];
/** What each tells a key that it refuses on an open socket, and the code it closes with. */
const openaiRefused = {
  wrongKey: [{ type: "error", error: { type: "invalid_request_error", code: "invalid_api_key" } }, 3_000],
  quotaExceeded: [{ type: "error", error: { type: "insufficient_quota", code: "insufficient_quota" } }, 1_013],
} as const;
const refusedOpen = {
  openai: openaiRefused,
  xai: openaiRefused,
  deepgram: {
    wrongKey: [{ type: "Error", variant: "INVALID_AUTH" }, 1_008],
    quotaExceeded: [{ type: "Error", variant: "ASR_PAYMENT_REQUIRED" }, 1_008],
  },
  elevenlabs: {
    wrongKey: [{ message: expect.any(String), error: "invalid_api_key", code: 1_008 }, 1_008],
    quotaExceeded: [{ message: expect.any(String), error: "quota_exceeded", code: 1_008 }, 1_008],
  },
} as const;
let doubles: ProviderDoubles;
let end: () => void = () => {};

beforeAll(async () => {
  doubles = await startProviderDoubles({ keys });
});
beforeEach(() => doubles.clear());
afterEach(() => end());
afterAll(() => doubles.close());

const fail = (fault: Fault): void => {
  end = doubles.fail(fault);
};
const shownBy = (id: DoubleId, shown: string): Record<string, string> =>
  id === "elevenlabs"
    ? { "xi-api-key": shown }
    : { authorization: `${id === "deepgram" ? "Token" : "Bearer"} ${shown}` };
const open = async (id: (typeof ids)[number], shown = key, from = doubles): Promise<ToldSocket> =>
  await openSocket(from.endpoints[id].websocketUrl + sockets[id][0], shownBy(id, shown));
const models = {
  openai: "/models",
  xai: "/models",
  deepgram: "/v1/projects",
  elevenlabs: "/v1/models",
  resend: "/domains",
};
const ask = async (id: DoubleId, shown = key, from = doubles): Promise<Response> =>
  await fetch(from.endpoints[id].baseUrl + models[id], { headers: shownBy(id, shown) });
const statuses = async (count: number, id: DoubleId, shown = key): Promise<number[]> => {
  const all: number[] = [];
  for (let at = 0; at < count; at += 1) all.push((await ask(id, shown)).status);
  return all;
};

describe.each([...ids, "resend"] as const)("a fault of %s", (id) => {
  it("begins with the request that it is to begin with, lasts as long, and ends when it is ended", async () => {
    fail({ provider: id, after: 2, times: 2, status: 503 });
    expect(await statuses(5, id)).toEqual([200, 200, 503, 503, 200]);
    fail({ provider: id, after: 1, status: 429 });
    expect(await statuses(3, id)).toEqual([200, 429, 429]);
    end();
    expect(await statuses(1, id)).toEqual([200]);
  });

  it("leaves a wrong key to be refused as the provider does, and does not count it", async () => {
    const refused = await ask(id, "key-of-nobody");
    fail({ provider: id, after: 1, status: 418 });
    const meanwhile = await ask(id, "key-of-nobody");
    expect([meanwhile.status, await meanwhile.json()]).toEqual([refused.status, await refused.json()]);
    expect(await statuses(2, id)).toEqual([200, 418]);
  });
});

it("a fault's status, headers and body are what the SDK sees", async () => {
  fail({
    provider: "openai",
    status: 429,
    headers: { "retry-after": "7" },
    body: { error: { message: "Slow down.", code: "rate_limit_exceeded" } },
  });
  const client = new OpenAI({ apiKey: key, baseURL: doubles.endpoints.openai.baseUrl, maxRetries: 0 });
  const error = await client.models.list().catch((caught: unknown) => caught as InstanceType<typeof OpenAI.APIError>);
  expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
  expect((error as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("7");
});

it("a fault's body that is a string is sent as it is", async () => {
  fail({ provider: "resend", status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" });
  const answer = await ask("resend");
  expect([answer.headers.get("content-type"), await answer.text()]).toEqual(["text/html", "<h1>Bad gateway</h1>"]);
});

it("a fault is for one path, or for one key, where it says so", async () => {
  fail({ provider: "openai", path: /\/chat\//u, status: 500 });
  expect(await statuses(1, "openai")).toEqual([200]);
  end();
  fail({ provider: "openai", key, status: 500 });
  expect([...(await statuses(1, "openai", other)), ...(await statuses(1, "openai"))]).toEqual([200, 500]);
});

it.each([
  [{}, "none"],
  [{ status: 500, cutAfter: 0 }, "status and cutAfter"],
])("a fault has to say one way to fail, not %j", (ways, named) => {
  expect(() => doubles.fail({ provider: "openai", ...ways } as Fault)).toThrow(
    new RegExp(`this one has ${named}`, "u"),
  );
});

describe.each(ids)("a socket of %s", (id) => {
  const [, message] = sockets[id];

  it("is refused at its handshake with a status, headers and a body", async () => {
    fail({ provider: id, after: 1, status: 429, headers: { "retry-after": "3" }, body: { error: "busy" } });
    (await open(id)).socket.terminate();
    const refused = { status: 429, headers: { "retry-after": "3" }, body: { error: "busy" } };
    await expect(open(id)).rejects.toMatchObject(refused);
  });

  it("is refused at its handshake as the provider refuses a key that has no credit", async () => {
    doubles.accept(id, "key-without-credit", { quotaExceeded: true });
    const told = await open(id, "key-without-credit").catch((error: { status: number; body: unknown }) => error);
    fail({ provider: id, refusal: "quotaExceeded" });
    const { status, body } = told as { status: number; body: unknown };
    await expect(open(id)).rejects.toMatchObject({ status, body });
  });

  it("is told a refusal after so many frames, and closed", async () => {
    fail({ provider: id, frame: { refused: true }, afterFrames: 2, closeCode: 1_008 });
    const socket = await open(id);
    for (const _ of [1, 2, 3]) socket.send(message);
    expect(await socket.closed).toBe(1_008);
    expect(socket.told.map((one) => "refused" in one)).toEqual([false, false, true]);
  });

  it("is told while it is open, and goes on where no close code is given", async () => {
    const socket = await open(id);
    fail({ provider: id, frame: { refused: true } });
    await socket.heard((one) => "refused" in one);
    const before = socket.told.length;
    socket.send(message);
    await waitFor(() => expect(socket.told.length).toBeGreaterThan(before));
    socket.socket.terminate();
  });

  it.each([
    "wrongKey",
    "quotaExceeded",
  ] as const)("is told in the provider's words, while it is open: %s", async (kind) => {
    const [frame, code] = refusedOpen[id][kind];
    const socket = await open(id);
    fail({ provider: id, openRefusal: kind });
    expect(await socket.closed).toBe(code);
    expect(socket.told.at(-1)).toMatchObject(frame);
    const next = await open(id);
    expect(await next.closed).toBe(code);
    expect(next.told).toMatchObject([frame]);
  });

  it("is told in the provider's words after so many frames, and nothing more", async () => {
    fail({ provider: id, openRefusal: "quotaExceeded", afterFrames: 2 });
    const socket = await open(id);
    for (const _ of [1, 2, 3]) socket.send(message);
    await socket.closed;
    expect(socket.told).toHaveLength(3);
    expect(socket.told.at(-1)).toMatchObject(refusedOpen[id].quotaExceeded[0]);
  });

  it("is cut after so many frames", async () => {
    doubles.accept(id, "key-of-one-socket");
    fail({ provider: id, key: "key-of-one-socket", cutAfter: 2, times: 1 });
    const socket = await open(id, "key-of-one-socket");
    for (const _ of [1, 2, 3]) socket.send(message);
    expect(await socket.closed).toBe(1_006);
    expect(socket.told).toHaveLength(2);
    const next = await open(id, "key-of-one-socket");
    next.send(message);
    await waitFor(() => expect(next.told).not.toHaveLength(0));
    next.socket.terminate();
  });

  it("is cut while it is open, and opens again where one was to be cut", async () => {
    doubles.accept(id, "key-of-an-open-socket");
    const socket = await open(id, "key-of-an-open-socket");
    const spared = await open(id);
    fail({ provider: id, key: "key-of-an-open-socket", cutAfter: 0, times: 1 });
    expect(await socket.closed).toBe(1_006);
    expect(spared.socket.readyState).toBe(WebSocket.OPEN);
    const next = await open(id, "key-of-an-open-socket");
    next.send(message);
    await waitFor(() => expect(next.told).not.toHaveLength(0));
    next.socket.terminate();
    spared.socket.terminate();
  });

  it("is left alone once the fault has ended", async () => {
    const socket = await open(id);
    fail({ provider: id, frame: { refused: true }, afterFrames: 1 });
    end();
    for (const _ of [1, 2]) socket.send(message);
    await waitFor(() => expect(socket.told.length).toBeGreaterThan(1));
    expect(socket.told.filter((one) => "refused" in one)).toEqual([]);
    socket.socket.terminate();
  });
});

it.each([
  [
    "deepgram",
    "/v2/listen?model=flux-general-en",
    { type: "Error", code: "ASR_PAYMENT_REQUIRED", sequence_id: 1 },
    1_008,
  ],
  ["deepgram", "/v1/speak?model=m", { type: "Error", variant: "ASR_PAYMENT_REQUIRED" }, 1_008],
  ["elevenlabs", "/v1/text-to-speech/v/multi-stream-input", { error: "quota_exceeded", code: 1_008 }, 1_008],
  ["elevenlabs", "/v1/speech-to-text/realtime?model_id=m", { message_type: "quota_exceeded" }, 1_008],
  ["xai", "/stt", { type: "error", message: expect.any(String) }, 1_008],
  ["xai", "/tts?language=en", { type: "error", message: expect.any(String) }, 1_008],
  ["openai", "/responses", { type: "error", status: 429, error: { code: "insufficient_quota" } }, null],
] as const)("a socket of %s, %s, has words of its own for a key without credit", async (id, path, frame, code) => {
  const socket = await openSocket(doubles.endpoints[id].websocketUrl + path, shownBy(id, key));
  if (path.startsWith("/v2")) await socket.heard(({ type }) => type === "Connected");
  fail({ provider: id, openRefusal: "quotaExceeded" });
  await waitFor(() => expect(socket.told.at(-1)).toMatchObject(frame));
  if (code === null) socket.socket.terminate();
  else expect(await socket.closed).toBe(code);
});

it("behave({ dropSocket }) cuts the sockets that are open", async () => {
  const socket = await open("deepgram");
  const spared = await open("xai");
  doubles.behave("deepgram", { dropSocket: true });
  expect(await socket.closed).toBe(1_006);
  expect(spared.socket.readyState).toBe(WebSocket.OPEN);
  spared.socket.terminate();
  doubles.behave("deepgram", null);
});

it("a request is not counted by a refusal that is for open sockets", async () => {
  fail({ provider: "openai", openRefusal: "wrongKey", times: 1 });
  expect(await statuses(2, "openai")).toEqual([200, 200]);
  expect(await (await open("openai")).closed).toBe(3_000);
});

it("a stream is cut after so many pieces, and what was written before arrives", async () => {
  fail({ provider: "openai", cutAfter: 3 });
  const answer = await fetch(`${doubles.endpoints.openai.baseUrl}/chat/completions`, {
    method: "POST",
    headers: shownBy("openai", key),
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two" }] }),
  });
  let text = "";
  const read = async (): Promise<void> => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>)
      text += Buffer.from(chunk).toString();
  };
  await expect(read()).rejects.toThrow();
  expect(text.split("data: ").slice(1)).toHaveLength(3);
  await expect(ask("openai").then((one) => one.text())).rejects.toThrow();
});

describe("an answer at a pace", () => {
  const stream = async (from: ProviderDoubles): Promise<AsyncIterable<Uint8Array>> => {
    const { body } = await fetch(`${from.endpoints.openai.baseUrl}/chat/completions`, {
      method: "POST",
      headers: shownBy("openai", key),
      body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two" }] }),
    });
    return body as unknown as AsyncIterable<Uint8Array>;
  };

  it("is whole", async () => {
    fail({ provider: "openai", paceMs: 1 });
    let text = "";
    for await (const chunk of await stream(doubles)) text += Buffer.from(chunk).toString();
    expect(text.split("data: ").slice(1)).toHaveLength(7);
  });

  it("keeps its second piece back, and ends with the double", async () => {
    const own = await startProviderDoubles({ keys });
    own.fail({ provider: "openai", paceMs: 3_600_000 });
    const chunks: string[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of await stream(own)) {
        chunks.push(Buffer.from(chunk).toString());
        await own.close();
      }
    };
    await expect(read()).rejects.toThrow();
    expect(chunks.join("").split("data: ").slice(1)).toHaveLength(1);
  });
});

describe("close() ends", () => {
  const faults = [{ stall: "headers" }, { stall: "body" }, { dripMs: 1 }, { cutAfter: 1_000 }] as const;
  const start = async (): Promise<ProviderDoubles> => await startProviderDoubles({ keys });

  it.each(faults)("in the middle of an answer with %j", async (fault) => {
    const own = await start();
    own.fail({ provider: "openai", ...fault });
    const read = ask("openai", key, own).then((answer) => answer.text());
    const settled = read.then(
      () => {},
      () => {},
    );
    await waitFor(() => expect(own.requests).toHaveLength(1));
    await own.close();
    await settled;
  });

  it.each(faults)("in the middle of a handshake, or of a socket, with %j", async (fault) => {
    const own = await start();
    own.fail({ provider: "deepgram", ...fault });
    const socket = new WebSocket(`${own.endpoints.deepgram.websocketUrl}/v1/listen?model=m`, {
      headers: shownBy("deepgram", key),
    });
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await waitFor(() => expect(own.requests).toHaveLength(1));
    await own.close();
    await closed;
  });

  it("in the middle of a handshake that stalls over TLS", async () => {
    const tls = await certificate();
    const own = await startProviderDoubles({ keys, tls });
    own.fail({ provider: "deepgram", stall: "body" });
    const socket = new WebSocket(`${own.endpoints.deepgram.websocketUrl}/v1/listen?model=m`, {
      headers: shownBy("deepgram", key),
      ca: tls.cert,
    });
    const failed = new Promise((resolve) => socket.once("error", resolve));
    await waitFor(() => expect(own.requests).toHaveLength(1));
    await own.close();
    await failed;
  });

  it("in the middle of a request that is still being sent", async () => {
    const own = await start();
    const socket = connect(Number(new URL(own.endpoints.openai.baseUrl).port), "127.0.0.1");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const sent = "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
    await own.close();
    await closed;
  });

  it.each(["headers", "body"] as const)("in the middle of what misbehaves, stalling at %s", async (stall) => {
    const own = await start();
    for (const id of ids) own.behave(id, { stall });
    const asked = ids.map((id) =>
      ask(id, key, own)
        .then((answer) => answer.text())
        .catch(() => {}),
    );
    const opening = ids.map((id) => open(id, key, own).catch(() => {}));
    await waitFor(() => expect(own.requests).toHaveLength(2 * ids.length));
    await own.close();
    await Promise.all([...asked, ...opening]);
    await own.close();
  });
});
