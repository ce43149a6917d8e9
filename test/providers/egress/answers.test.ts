import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deepgram, elevenlabs, openai, resend, xai } from "../../../src/index.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { egressOf, serving } from "../../support/egress.ts";

const key = "customer-key_0123456789/ABCdef";
const half = key.slice(0, 16);

/** Whatever escapes JSON allows: `\u002d` in either case. */
const escaped = [...key].map((one) => `\\u00${one.charCodeAt(0).toString(16).toUpperCase()}`).join("");
const spellings: Readonly<Record<string, string>> = {
  plain: key,
  "escaped for JSON": escaped,
  "escaped here and there": [...key]
    .map((one, at) => (at % 2 === 0 ? one : escaped.slice(6 * at, 6 * at + 6)))
    .join(""),
  "with its slashes escaped": key.replaceAll("/", "\\/"),
  "within a JSON text in another": escaped.replaceAll("\\", "\\\\"),
  "percent-encoded": encodeURIComponent(key),
  "percent-encoded to the last letter": [...key].map((one) => `%${one.charCodeAt(0).toString(16)}`).join(""),
  "percent-encoded twice": encodeURIComponent(encodeURIComponent(key)),
};

type Answer = (response: ServerResponse) => void;
const json = { "content-type": "application/json" };
const errorOf = (text: string): string =>
  `{"error":{"message":"${text}","type":"x","code":"${text}"},"message":"${text}","detail":{"status":"x","message":"${text}"},"err_code":"${text}"}`;

const answers: Readonly<Record<string, Answer>> = {
  ...Object.fromEntries(
    Object.entries(spellings).flatMap(([name, text]) => [
      [`401 with the key ${name}`, (response: ServerResponse) => response.writeHead(401, json).end(errorOf(text))],
      [
        `a stream's error with the key ${name}`,
        (response: ServerResponse) => stream(response, `data: ${errorOf(text)}\n\n`),
      ],
    ]),
  ),
  "401 with the key in a header": (response) =>
    response.writeHead(401, { ...json, "www-authenticate": `Bearer error="${key}"`, "x-request-id": key }).end("{}"),
  "401 with the key in several headers of a name": (response) =>
    response.writeHead(401, { ...json, "set-cookie": [`a=${key}`, `b=${key}`] }).end("{}"),
  "401 with the key as reason phrase": (response) => response.writeHead(401, `No key ${key}`, json).end("{}"),
  "401 with the key across what is kept of a body": (response) =>
    response.writeHead(401, json).end(`${" ".repeat(65_536 - 40)}{"error":{"message":"${"x".repeat(8)}${key}"}}`),
  "401 with the key after what is read of a body": (response) =>
    response.writeHead(401, json).end(`{"message":"${"x".repeat(80_000)}${key}"}`),
  "401 in plain text": (response) => response.writeHead(401).end(`No key ${key}`),
  "404 in HTML": (response) => response.writeHead(404, { "content-type": "text/html" }).end(`<p>${key}</p>`),
  "500 that breaks off": (response) => {
    response.writeHead(500, { ...json, "content-length": 9_999 }).write(errorOf(key));
    response.socket?.destroySoon();
  },
  "200 that is no JSON": (response) => response.writeHead(200, json).end(`Invalid ${key}`),
  "200 of no type that is no JSON": (response) => response.writeHead(200).end(`${key} is invalid`),
  "200 that is an error": (response) => response.writeHead(200, json).end(errorOf(key)),
  "200 with a chunk that is none": (response) => {
    response.socket?.end(
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n2\r\n: \r\nAuthorization: Bearer ${key}\r\n`,
    );
  },
  "an error of an event": (response) => stream(response, `event: error\ndata: ${errorOf(key)}\n\n`),
  "307 to a place with the key": (response) => response.writeHead(307, { location: `/?token=${key}` }).end(key),
  "999 with the key": (response) => {
    response.socket?.end(`HTTP/1.1 999 No ${key}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
  },
};

function stream(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).end(text);
}

let answer: Answer;
const server = createServer((request, response) => {
  request.resume();
  answer(response);
});
const echo = createRawServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => socket.end(bytes));
});
const portOf = (one: typeof echo): number => (one.address() as AddressInfo).port;
beforeAll(async () => {
  for (const one of [server, echo]) await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  for (const one of [server, echo]) await new Promise((resolve) => one.close(resolve));
});

type OpenAI = import("openai").OpenAI;
const chat = async (client: OpenAI): Promise<unknown> => {
  const seen: unknown[] = [];
  for await (const one of await client.chat.completions.create({ model: "m", messages: [], stream: true }))
    seen.push(one);
  return seen;
};
const ways: readonly (readonly [string, Provider, (client: never) => PromiseLike<unknown>])[] = [
  ["openai", openai as Provider, (client: OpenAI) => client.models.list({ maxRetries: 0 })],
  ["a stream of openai", openai as Provider, chat],
  [
    "an upload of openai",
    openai as Provider,
    (client: OpenAI) => client.files.create({ file: new File(["x"], "x"), purpose: "user_data" }, { maxRetries: 0 }),
  ],
  ["xai", xai as Provider, (client: OpenAI) => client.models.list({ maxRetries: 0 })],
  [
    "deepgram",
    deepgram as Provider,
    (client: import("@deepgram/sdk").DeepgramClient) => client.manage.v1.projects.list(),
  ],
  [
    "a voice of deepgram",
    deepgram as Provider,
    async (client: import("@deepgram/sdk").DeepgramClient) =>
      await (await client.speak.v1.audio.generate({ text: "x" })).arrayBuffer(),
  ],
  [
    "elevenlabs",
    elevenlabs as Provider,
    (client: import("@elevenlabs/elevenlabs-js").ElevenLabsClient) => client.models.list(),
  ],
  [
    "a voice of elevenlabs",
    elevenlabs as Provider,
    async (client: import("@elevenlabs/elevenlabs-js").ElevenLabsClient) =>
      await new Response(await client.textToSpeech.stream("voice", { text: "x" })).text(),
  ],
  ["resend", resend as Provider, (client: import("resend").Resend) => client.domains.list()],
];

/** Everything that a log, a tracker or a debugger might print of it, escapes read and unread. */
function textsOf(outcome: unknown): string {
  const texts = [
    inspect(outcome, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true, maxStringLength: null }),
    inspect(outcome, {
      depth: Number.POSITIVE_INFINITY,
      customInspect: false,
      showHidden: true,
      maxStringLength: null,
    }),
    String(outcome),
  ];
  for (let error = outcome; error instanceof Error; error = error.cause) {
    texts.push(error.message, error.stack ?? "", ...Object.values(error).map(String));
  }
  for (const place of ["headers", "rawResponse"]) {
    const held: unknown = (outcome as Record<string, unknown> | null | undefined)?.[place];
    const headers: unknown = held instanceof Headers ? held : (held as { headers?: unknown } | undefined)?.headers;
    if (headers instanceof Headers) texts.push(...[...headers].flat());
  }
  try {
    texts.push(JSON.stringify(outcome) ?? "");
  } catch {
    // A circle.
  }
  return texts.join("\n");
}

/** Read once and twice: what is escaped is the key to its reader. */
function readEscapes(text: string): string {
  const read = (once: string): string =>
    once
      .replace(/\\+u00([0-9a-f]{2})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/%([2-7][0-9a-f])/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll("\\/", "/");
  return read(read(text));
}

describe.each(ways)("through %s", (name, provider, call) => {
  const outcomeAt = async (port: number): Promise<unknown> => {
    const egress = egressOf(provider, serving(key, `http://127.0.0.1:${port}`));
    const client = provider.connect(egress, await provider.load?.()) as never;
    return await Promise.resolve(call(client)).catch((error: unknown) => error);
  };

  it.each(Object.entries(answers))("nobody is shown the key by %s", async (_what, how) => {
    answer = how;
    const outcome = await outcomeAt(portOf(server));
    const shown = readEscapes(textsOf(outcome));
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(half);
    const isVoice = name.includes("voice");
    if (!isVoice && !_what.startsWith("200") && !_what.includes("stream") && !_what.includes("event")) {
      expect(outcome).toSatisfy((one) => one instanceof Error || (one as { error?: unknown }).error != null);
    }
  });

  it("nobody is shown the key by what answers with the request", async () => {
    const shown = textsOf(await outcomeAt(portOf(echo)));
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(half);
  });
});
