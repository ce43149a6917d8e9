import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { deepgram, elevenlabs, openai, resend } from "../../../src/index.ts";
import { guardBody } from "../../../src/providers/egress/guarded-body.ts";
import { KeyScrubber } from "../../../src/providers/egress/key-scrubber.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { Secret } from "../../../src/secret.ts";
import { changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";

const key = "customer-key-0123456789";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function listen(server: ReturnType<typeof createRawServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => await new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function served(answer: RequestListener, provider: Provider = openai as Provider, requestTimeoutMs = 5_000) {
  const server = createServer(answer);
  const counts = { connections: 0 };
  server.on("connection", () => (counts.connections += 1));
  const origin = await listen(server);
  closing.unshift(async () => server.closeAllConnections());
  const supply = changingSupply(serving(key, origin));
  const egress = egressOf(provider, supply, requestTimeoutMs);
  const send = async (path: string, init?: RequestInit): Promise<Response> =>
    await egress.fetch(`${origin}${path}`, init);
  return { send, counts, supply, egress };
}

/** A server that says what it is told to, in bytes, and hangs up. */
async function raw(say: (times: number) => string | Buffer | undefined) {
  let times = 0;
  const origin = await listen(
    createRawServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", () => {
          times += 1;
          const text = say(times);
          if (text === undefined) socket.destroy();
          else socket.end(text);
        });
    }),
  );
  return { origin, times: () => times };
}

const types = [
  "text/event-stream",
  "text/plain",
  "application/json",
  "audio/mpeg",
  "application/octet-stream",
  undefined,
];

describe("an answer", () => {
  it.each(types)("of type %s passes as it comes", async (type) => {
    let finish = (): void => {};
    const { send } = await served((_request, response) => {
      response.writeHead(200, type === undefined ? {} : { "content-type": type }).write("first");
      finish = () => void response.end("last");
    });
    const reader = (await send("/")).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    finish();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("last");
    expect((await reader?.read())?.done).toBe(true);
  });

  it.each(types)("of type %s keeps every byte", async (type) => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) % 256));
    const { send } = await served((_request, response) =>
      response.writeHead(200, type === undefined ? {} : { "content-type": type }).end(bytes),
    );
    expect(Buffer.from(await (await send("/")).arrayBuffer()).equals(bytes)).toBe(true);
  });

  it.each([204, 304])("with status %i has no body", async (status) => {
    const { send } = await served((_request, response) => response.writeHead(status, { etag: "x" }).end());
    const { body, headers, status: answered, ok } = await send("/");
    expect([answered, ok, body, headers.get("etag")]).toEqual([status, status === 204, null, "x"]);
  });

  it("to HEAD has none either", async () => {
    const { send } = await served((_request, response) => response.writeHead(200, { "content-length": 5 }).end());
    const answer = await send("/", { method: "HEAD" });
    expect([answer.status, answer.body, answer.headers.get("content-length"), await answer.text()]).toEqual([
      200,
      null,
      "5",
      "",
    ]);
  });

  const heads: readonly (readonly [string, number, Buffer])[] = [
    ["999 Request denied", 999, Buffer.from("HTTP/1.1 999 Request denied\r\n")],
    ["600 Odd", 600, Buffer.from("HTTP/1.1 600 Odd\r\n")],
    ["502 in Latin-1", 502, Buffer.from("HTTP/1.1 502 Passerelle d\xe9faillante\r\n", "latin1")],
    ["429 in UTF-8", 429, Buffer.from("HTTP/1.1 429 请求过多\r\n")],
    ["200 in UTF-8", 200, Buffer.from("HTTP/1.1 200 正常\r\n")],
    ["200 without words", 200, Buffer.from("HTTP/1.1 200 \r\n")],
  ];
  it.each(heads)("with %s looks as without byokit, and so do its clones", async (_name, status, head) => {
    const { origin } = await raw(() =>
      Buffer.concat([head, Buffer.from('content-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}')]),
    );
    const bare = await fetch(origin);
    const answer = await egressOf(openai, serving(key, origin)).fetch(origin);
    for (const one of [answer.clone(), answer]) {
      expect(one).toBeInstanceOf(Response);
      expect([one.status, one.ok, one.statusText, one.url]).toEqual([status, bare.ok, bare.statusText, bare.url]);
      expect([one.bodyUsed, await one.json(), one.bodyUsed]).toEqual([false, { a: 1 }, true]);
    }
  });

  it("is read in every way that answers are", async () => {
    const { send } = await served((_request, response) =>
      response.writeHead(200, { "content-type": "application/x-www-form-urlencoded" }).end(`a=1&b=${key}`),
    );
    const shown = "a=1&b=[key removed]";
    expect(await (await send("/")).text()).toBe(shown);
    expect(Buffer.from(await (await send("/")).bytes()).toString()).toBe(shown);
    expect(await (await (await send("/")).blob()).text()).toBe(shown);
    expect((await (await send("/")).formData()).get("b")).toBe("[key removed]");
    expect(await new Response((await send("/")).body).text()).toBe(shown);
  });

  it("that breaks off is a typed failure, and none that OpenAI's SDK takes for its end", async () => {
    const event = 'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n';
    const { egress } = await served((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(event, () => response.destroy());
    });
    const client = openai.connect(egress, await openai.load?.());
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const one of await client.chat.completions.create({ model: "m", messages: [], stream: true }))
        seen.push(one);
    };
    await expect(read()).rejects.toMatchObject({
      name: "ByokError",
      code: "provider_failed",
      orgId: "org",
      slot: "llm",
    });
    expect(seen).toHaveLength(1);
  });

  it("that its reader gives up ends with the reader's reason", async () => {
    const { send } = await served((_request, response) => response.writeHead(200).write("first"));
    const caller = new AbortController();
    const answer = await send("/", { signal: caller.signal });
    const reason = new Error("no longer wanted");
    const read = answer.text();
    caller.abort(reason);
    await expect(read).rejects.toBe(reason);
  });

  it("that stalls is a typed failure", async () => {
    const { send } = await served(
      (_request, response) => response.writeHead(200).write("first"),
      openai as Provider,
      100,
    );
    const reader = (await send("/")).body?.getReader();
    await reader?.read();
    await expect(reader?.read()).rejects.toMatchObject({ code: "request_timeout", orgId: "org", slot: "llm" });
  });
});

describe("a key in a stream", () => {
  const scrubber = KeyScrubber.of(new Secret(key));
  const passed = async (chunks: readonly string[]): Promise<string> => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new Uint8Array(Buffer.from(chunk)));
        controller.close();
      },
    });
    const options = { limitMs: 5_000, expiry: () => new Error("late"), toFailure: (error: unknown) => error, scrubber };
    return await new Response(guardBody(body, options)).text();
  };
  const escaped = [...key].map((one) => `\\u00${one.charCodeAt(0).toString(16)}`).join("");
  const spellings = [
    key,
    escaped,
    escaped.replaceAll("\\", "\\\\"),
    key.replaceAll("-", "%2D"),
    key.replaceAll("-", "%252d"),
  ];

  it.each(spellings)("spelt %s is found wherever it is cut", async (text) => {
    const whole = `data: {"x":"cust${text}customer-${text}"}\n\n`;
    const clean = 'data: {"x":"cust[key removed]customer-[key removed]"}\n\n';
    for (let at = 1; at < whole.length; at += 1)
      expect(await passed([whole.slice(0, at), whole.slice(at)])).toBe(clean);
    for (const size of [1, 2, 3, 7, 16]) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.slice(index * size, (index + 1) * size),
      );
      expect(await passed(chunks)).toBe(clean);
    }
  });

  it("that is none after all is passed on", async () => {
    for (const text of ["customer-key-", "customer-key-01234567X", "\\u0063\\u0075", "100%", "%63", "\\"]) {
      for (let at = 1; at < text.length; at += 1) expect(await passed([text.slice(0, at), text.slice(at)])).toBe(text);
    }
  });
});

describe("a body that is sent", () => {
  it.each([
    ["a stream of Node's", () => Readable.from([Buffer.from("hel"), Buffer.from("lo")])],
    ["a stream", () => new Blob(["hello"]).stream()],
    [
      "chunks",
      async function* () {
        yield Buffer.from("hel");
        yield Buffer.from("lo");
      },
    ],
  ])("as %s arrives as it is", async (_name, body) => {
    const { send } = await served((request, response) => void request.pipe(response));
    const init = { method: "POST", body: typeof body === "function" ? body() : body, duplex: "half" };
    expect(await (await send("/", init as unknown as RequestInit)).text()).toBe("hello");
  });
});

describe("a connection that is closed before an answer", () => {
  const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
  const message = { method: "POST", body: "{}" };
  const keyed = { ...message, headers: { "idempotency-key": "one" } };
  it.each([
    ["a generation", openai, "/chat/completions", message, 2],
    ["speech", elevenlabs, "/v1/text-to-speech/voice/stream?optimize=1", message, 2],
    ["a transcript", deepgram, "/v1/listen?model=nova-3", message, 2],
    ["a list of messages", resend, "/emails", {}, 2],
    ["a message that its provider knows again", resend, "/emails", keyed, 2],
    ["a message, by a key of byokit's,", resend, "/emails", message, 2],
    ["a domain", resend, "/domains", message, 1],
    ["a call", elevenlabs, "/v1/convai/twilio/outbound-call", message, 1],
    ["a batch", openai, "/batches", message, 1],
    ["a stream", openai, "/responses", { ...message, body: new Blob(["{}"]).stream(), duplex: "half" }, 1],
  ] as const)("has %s tried again only where it may arrive twice", async (_name, provider, path, init, expected) => {
    const once = await raw((times) => (times === 1 ? undefined : ok));
    const sent = egressOf(provider as Provider, serving(key, once.origin)).fetch(
      `${once.origin}${path}`,
      init as RequestInit,
    );
    if (expected === 2) expect((await sent).status).toBe(200);
    else await expect(sent).rejects.toThrow("fetch failed");
    expect(once.times()).toBe(expected);
  });

  it("is tried again once", async () => {
    const never = await raw(() => undefined);
    await expect(egressOf(openai, serving(key, never.origin)).fetch(never.origin)).rejects.toThrow("fetch failed");
    expect(never.times()).toBe(2);
  });
});

describe("requests", () => {
  it("one after the other share connections as they do without byokit, and each is told once", async () => {
    const { send, counts, supply } = await served((_request, response) => response.end("{}"));
    for (let turn = 0; turn < 50; turn += 1) await (await send("/")).text();
    // The runtime opens a second one when the first has not come to rest.
    expect(counts.connections).toBeLessThanOrEqual(2);
    expect(supply.requests).toHaveLength(50);
  });

  it.each([
    [
      "deepgram",
      deepgram,
      (client: import("@deepgram/sdk").DeepgramClient) => client.manage.v1.projects.list({ timeoutInSeconds: 0.5 }),
    ],
    [
      "elevenlabs",
      elevenlabs,
      (client: import("@elevenlabs/elevenlabs-js").ElevenLabsClient) => client.models.list({ timeoutInSeconds: 0.5 }),
    ],
    ["openai", openai, (client: import("openai").OpenAI) => client.models.list({ timeout: 500 })],
  ] as const)("of %s may ask for less time than they have", async (_name, provider, call) => {
    let requests = 0;
    const { egress } = await served(() => (requests += 1), provider as unknown as Provider, 60_000);
    const client = provider.connect(egress, await provider.load?.()) as never;
    await expect(Promise.resolve(call(client))).rejects.toThrow(/time|500 ms/iu);
    expect(requests).toBeLessThanOrEqual(1);
  });

  it("whose answers are dropped unread or half read hold no more connections than without byokit", async () => {
    const program = join(import.meta.dirname, "worker-dropping-streams.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program]);
    // The runtime keeps those of its own that were read from.
    expect(JSON.parse(stdout)).toMatchObject({ opened: 24, ours: 0 });
  });

  it("leave no timer behind that keeps a process", async () => {
    const program = join(import.meta.dirname, "worker-at-its-end.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 25_000 });
    expect(stdout.split(" ")).toEqual(["200", "401", "key_revoked", ...Array(6).fill("provider_failed")]);
  });
});
