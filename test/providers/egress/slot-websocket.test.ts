import { once } from "node:events";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as ws from "ws";
import { byokErrorOf } from "../../../src/byok-error-of.ts";
import { ByokError } from "../../../src/errors.ts";
import { deepgram, elevenlabs, openai, type Provider, xai } from "../../../src/index.ts";
import type { SlotWebSocket } from "../../../src/providers/egress/slot-websocket.ts";
import { ada } from "../../support/ada.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { acceptSocket, headersOf, type RawServer, rawServer, textFrame } from "../../support/raw-server.ts";
import { type SwitchedSupply, switchedSupply } from "../../support/switched-supply.ts";
import { waitFor } from "../../support/wait-for.ts";

const url = "wss://ada.example/v1/listen";
const revoked = new ByokError("key_revoked", "The organisation has removed its key.", { orgId: "org" });
const key = "key-one-of-the-customer";
let server: RawServer;
let supply: SwitchedSupply;

beforeEach(async () => {
  server = await rawServer();
  server.answer = (socket, head) => acceptSocket(socket, head);
  supply = switchedSupply(serving(key, server.origin));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

type Arguments = ConstructorParameters<ReturnType<typeof egressOf>["WebSocket"]>;

const open = (...given: Arguments): SlotWebSocket => {
  const { WebSocket } = egressOf(ada, supply, 2_000);
  const socket = new WebSocket(...given);
  onTestFinished(() => socket.terminate());
  return socket;
};

/** What a socket tells, in its order, until it has closed. */
const toldBy = async (socket: SlotWebSocket): Promise<unknown[]> => {
  const told: unknown[] = [];
  socket.on("error", (error) => told.push(error));
  await new Promise<void>((resolve) => socket.on("close", (code) => resolve(void told.push(code))));
  return told;
};

const keysIn = (received: string | undefined): string[] => headersOf(received, "authorization");

describe("a slot's WebSocket", () => {
  it.each<[string, Arguments]>([
    ["(url)", [url]],
    ["(URL)", [new URL(url)]],
    ["(url, undefined)", [url, undefined]],
    ["(url, null, options)", [url, null, { headers: { authorization: "Bearer of-the-environment" } }]],
    ["(url, options)", [url, { headers: { "xi-api-key": "of-the-environment", "openai-organization": "x" } }]],
    ["(url, [], options)", [url, [], { auth: "user:pass", origin: "https://platform.example" }]],
    ["with https:", ["https://ada.example/v1/listen"]],
    ["with credentials in its query", [`${url}?token=of-the-environment&api_key=b#part`]],
    ["with a user and a password", ["wss://user:platform@ada.example/v1/listen"]],
    ["with nothing but a credential for subprotocols", [url, ["token", "of-the-environment"]]],
    ["with one of those as a text", [url, "openai-insecure-api-key.of-the-environment"]],
    [
      "with hooks of ws that could write",
      [url, { finishRequest: () => {}, createConnection: () => {}, socketPath: "/" }],
    ],
  ])("made as %s opens with the key, once, and with nobody else's credentials", async (_form, given) => {
    const socket = open(...given);
    await once(socket as never, "open");
    expect(keysIn(server.received[0])).toEqual([`authorization: Bearer ${key}`]);
    expect(server.received[0]).toMatch(/^GET \/v1\/listen HTTP\/1\.1\r\n/u);
    expect(server.received[0]).not.toMatch(/environment|platform|user|origin:|sec-websocket-protocol/iu);
  });

  it("keeps subprotocols that are none, and the server may choose one", async () => {
    server.answer = (socket, head) => acceptSocket(socket, head, "sec-websocket-protocol: realtime\r\n");
    const socket = open(url, ["realtime", "openai-insecure-api-key.x", "openai-project.y"]);
    await once(socket as never, "open");
    expect(socket.protocol).toBe("realtime");
    expect(headersOf(server.received[0], "sec-websocket-protocol")).toEqual(["Sec-WebSocket-Protocol: realtime"]);
  });

  it("tells in the browsers' way why it is refused", async () => {
    supply.now = revoked;
    const socket = open(url);
    const event = await new Promise((resolve) => {
      socket.onerror = resolve;
    });
    expect(byokErrorOf(event)).toBe(revoked);
  });

  it("speaks in the browsers' way", async () => {
    server.answer = (socket, head) => {
      acceptSocket(socket, head);
      socket.write(textFrame("hello"));
    };
    const socket = open(url);
    const data = await new Promise((resolve) => {
      socket.onmessage = (event) => resolve(event.data);
    });
    expect(data).toBe("hello");
  });

  it.each<[string, unknown[]]>([
    ["undefined", [undefined]],
    ["null", [null]],
    ["a symbol", [Symbol("url")]],
    ["an object without a text", [Object.create(null)]],
    ["garbage", ["://"]],
    ["ftp:", ["ftp://ada.example/"]],
    ["file:", ["file:///etc/passwd"]],
    ["another host", ["wss://evil.example/v1"]],
    ["dot segments", ["wss://ada.example/v1/%2e%2e/x"]],
    ["a subprotocol that none can be", [url, ["a b"]]],
    ["the same subprotocol twice", [url, ["a", "a"]]],
    ["a header that none can be", [url, { headers: { "a b": "c", d: "e\r\nf" } }]],
    ["a version that there is not", [url, { protocolVersion: 3 }]],
  ])("that is asked for %s is refused by events, and nothing is sent", async (_what, given) => {
    const told = await toldBy(open(...(given as Arguments)));
    expect(told).toEqual([expect.objectContaining({ name: "ByokError" }), 1006]);
    expect((told[0] as ByokError).code).toMatch(/^(?:host_refused|options_invalid)$/u);
    expect(server.received).toEqual([]);
  });

  it("that nobody listens to ends no process when it is refused", async () => {
    supply.now = revoked;
    const socket = open(url);
    await new Promise<void>((resolve) => socket.on("close", () => resolve()));
    expect(socket.readyState).toBe(3);
  });

  it.each([301, 302, 307, 308])("follows no redirect (%d), even where it is asked to", async (status) => {
    await using other = await rawServer();
    server.answer = (socket) =>
      socket.end(`HTTP/1.1 ${status} To\r\nlocation: ${other.origin}/\r\ncontent-length: 0\r\n\r\n`);
    const told = await toldBy(open(url, { followRedirects: true }));
    const said = { code: "host_refused", orgId: "org", slot: "stt", message: expect.stringContaining("a redirect") };
    expect(told).toEqual([expect.objectContaining(said), 1006]);
    expect(other.received).toEqual([]);
  });

  it.each([
    [deepgram, 401, '{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}', "key_rejected", "wrong_key", false],
    [deepgram, 402, '{"err_code":"PAYMENT_REQUIRED","err_msg":"Not enough."}', "key_exhausted", "no_quota", false],
    [deepgram, 429, '{"err_code":"TOO_MANY_REQUESTS","err_msg":"Slow down."}', "provider_failed", "rate_limited", true],
    [openai, 400, '{"error":{"code":"model_not_found","message":"No."}}', "provider_failed", "request_refused", false],
    [openai, 429, '{"error":{"code":"insufficient_quota","message":"No."}}', "key_exhausted", "no_quota", false],
    [xai, 400, '{"code":"x","error":"Incorrect API key provided."}', "key_rejected", "wrong_key", false],
    [elevenlabs, 403, "{}", "key_rejected", "refused", false],
    [elevenlabs, 403, "<html><body>Blocked.</body></html>", "provider_failed", undefined, true],
    [elevenlabs, 402, "", "key_exhausted", "unpaid", false],
    [elevenlabs, 500, "{}", "provider_failed", undefined, true],
    [elevenlabs, 404, "{}", "provider_failed", undefined, false],
  ] as const)("tells of %o's %d with %s that it is %s", async (provider, status, body, code, reason, retryable) => {
    const sent = `HTTP/1.1 ${status} ${key}\r\nx-echo: ${key}\r\n`;
    server.answer = (socket) => void socket.write(`${sent}content-length: ${body.length}\r\n\r\n${body}`);
    const { WebSocket } = egressOf(provider as Provider, supply, 2_000);
    const [error, ...more] = await toldBy(new WebSocket(provider.endpoint.websocketUrl));
    expect(error).toMatchObject({ code, retryable, orgId: "org", provider: provider.id, slot: "stt" });
    expect((error as ByokError).reason).toBe(reason);
    expect(more).toEqual([1006]);
    expect(inspect(error)).not.toContain(key);
  });

  it("is judged by its status when the rest of a refusal does not come", async () => {
    server.answer = (socket) => void socket.write("HTTP/1.1 401 No\r\ncontent-length: 999\r\n\r\n{");
    const { WebSocket } = egressOf(deepgram as Provider, supply, 20_000);
    const told = await toldBy(new WebSocket("wss://api.deepgram.com/v1/listen"));
    expect(told).toEqual([expect.objectContaining({ code: "key_rejected", reason: "refused" }), 1006]);
  });

  it("offers no compression, which would hide a key that comes back", async () => {
    const socket = open(url, { perMessageDeflate: true });
    await once(socket as never, "open");
    const bare = new ws.WebSocket(url, { agent: egressOf(ada, supply).agent, perMessageDeflate: true });
    await once(bare, "open");
    bare.terminate();
    expect(server.received.flatMap((head) => headersOf(head, "sec-websocket-extensions"))).toEqual([]);
  });

  it("tells why it is closed when its key is removed", async () => {
    const socket = open(url);
    await once(socket as never, "open");
    const told = toldBy(socket);
    for (const close of supply.open) close(revoked);
    expect(await told).toEqual([revoked, 1006]);
    await waitFor(() => expect(supply.open.size).toBe(0));
  });

  it("that breaks by itself is closed, and no longer watched", async () => {
    const socket = open(url);
    await once(socket as never, "open");
    const told = toldBy(socket);
    server.sockets[0]?.destroy();
    expect(await told).toEqual([1006]);
    await waitFor(() => expect(supply.open.size).toBe(0));
  });

  it.each<[string, (head: string) => string | Buffer]>([
    ["a header of a refusal", () => `HTTP/1.1 401 No\r\nx-echo: ${key}\r\ncontent-length: 0\r\n\r\n`],
    ["a reason phrase", () => `HTTP/1.1 401 ${key}\r\ncontent-length: 0\r\n\r\n`],
    ["what is not HTTP", (head) => head],
  ])("shows no key that comes back in %s", async (_what, answer) => {
    server.answer = (socket, head) => socket.end(answer(head));
    const told = await toldBy(open(url));
    expect(told).toHaveLength(2);
    expect(inspect(told, { depth: 9, showHidden: true })).not.toContain(key);
    expect(String(Reflect.get(told[0] as object, "rawPacket"))).not.toContain(key);
  });

  it("shows no key that comes back in a frame, wherever the network cuts it", async () => {
    server.answer = (socket, head) => {
      acceptSocket(socket, head);
      const frame = textFrame(`bad key ${key}, said ${head}`);
      for (const at of [0, 20]) setImmediate(() => socket.write(frame.subarray(at, at === 0 ? 20 : undefined)));
    };
    const [data] = await once(open(url) as never, "message");
    expect(String(data)).toContain(`bad key ${"*".repeat(key.length)}`);
    expect(String(data)).not.toContain(key);
  });
});
