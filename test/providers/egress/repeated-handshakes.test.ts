import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as securely } from "node:https";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ByokError } from "../../../src/errors.ts";
import { elevenlabs, openai, type Provider } from "../../../src/index.ts";
import type { SlotConnection } from "../../../src/providers/egress/slot-connection.ts";
import type { SlotWebSocket } from "../../../src/providers/egress/slot-websocket.ts";
import { egressOf, serving } from "../../support/egress.ts";
import {
  acceptSocket,
  headersOf,
  type RawServer,
  rawServer,
  serverFrame,
  textFrame,
} from "../../support/raw-server.ts";
import { hearRefusals, type SwitchedSupply, switchedSupply, type ToldOfKeys } from "../../support/switched-supply.ts";
import { waitFor } from "../../support/wait-for.ts";

const url = "wss://api.openai.com/v1/realtime?model=m";
const wrongKey = JSON.stringify({ error: { code: "invalid_api_key", type: "x", message: "Incorrect API key." } });
const answerOf = (status: number, body: string, more = ""): string =>
  `HTTP/1.1 ${status} No\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
let server: RawServer;
let supply: SwitchedSupply;
let told: ToldOfKeys;
/** How each key is answered; others are accepted, and are told so. */
let answers: Map<string, (socket: Socket) => unknown>;

beforeEach(async () => {
  server = await rawServer();
  answers = new Map([["key-one", (socket) => socket.end(answerOf(401, wrongKey))]]);
  server.answer = (socket, head) => answer(socket, head);
  supply = switchedSupply(serving("key-one", server.origin));
  told = hearRefusals(supply, async () => serving("key-two", server.origin));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const answer = (socket: Socket, head: string): unknown => {
  const [key = ""] = keysIn([head]);
  const refuse = answers.get(key);
  if (refuse !== undefined) return refuse(socket);
  acceptSocket(socket, head);
  return socket.write(textFrame(JSON.stringify({ type: "session.created", key: key.slice(-3) })));
};
const keysIn = (received: readonly string[]): string[] =>
  received.flatMap((head) => headersOf(head, "authorization", "xi-api-key")).map((line) => line.replace(/.*[ ]/u, ""));

/** All that a socket tells until it is open, or closed. */
const openFrom = async (limitMs = 10_000, provider = openai as Provider, at = url): Promise<unknown[]> => {
  const { WebSocket } = egressOf(provider, supply, limitMs);
  return await listenTo(new WebSocket(at));
};
const listenTo = async (socket: SlotWebSocket): Promise<unknown[]> => {
  const events: unknown[] = [];
  onTestFinished(() => socket.terminate());
  socket.on("open", () => events.push("open"));
  socket.on("error", (error) => events.push(error));
  await new Promise<void>((resolve) => {
    socket.on("message", (data) => resolve(void events.push(JSON.parse(String(data)).key)));
    socket.on("close", () => resolve(void events.push("close")));
  });
  return events;
};

describe("a handshake whose key is refused", () => {
  it.each<[string, (socket: Socket) => unknown]>([
    ["in one piece", (socket) => socket.end(answerOf(401, wrongKey))],
    ["and left open", (socket) => socket.write(answerOf(401, wrongKey))],
    [
      "byte by byte",
      (socket) => {
        for (const byte of answerOf(401, wrongKey)) socket.write(byte);
      },
    ],
    [
      "in chunks",
      (socket) =>
        socket.write(
          `HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n${wrongKey.length.toString(16)}\r\n${wrongKey}\r\n0\r\n\r\n`,
        ),
    ],
    ["after an announcement", (socket) => socket.write(`HTTP/1.1 103 Soon\r\n\r\n${answerOf(401, wrongKey)}`)],
    ["without a word", (socket) => socket.end("HTTP/1.1 401 No\r\n\r\n")],
    ["without a word, and left open", (socket) => socket.write("HTTP/1.1 401 No\r\n\r\n")],
    ["and broken off", (socket) => socket.write("HTTP/1.1 401 No\r\n", () => socket.resetAndDestroy())],
    ["in a head without an end", (socket) => socket.write("HTTP/1.1 401 No\r\nx: y")],
  ])("%s is made again with what serves then: one socket, of which nothing else is seen", async (_how, refuse) => {
    answers.set("key-one", refuse);
    expect(await openFrom()).toEqual(["open", "two"]);
    expect(keysIn(server.received)).toEqual(["key-one", "key-two"]);
    const [first, second] = server.received.map((head) => head.replace(/key-\w+/u, ""));
    expect(second).toBe(first);
    expect(supply.sent.map(({ status, serving: { secretId } }) => [status, secretId])).toEqual([
      [401, "key-one"],
      [101, "key-two"],
    ]);
    expect(new Set(supply.sent.map(({ request }) => request)).size).toBe(1);
    expect(supply.open.size).toBe(1);
    expect(server.sockets[0]?.destroyed).toBe(true);
  });

  it("by words that nobody here knows, and that end in what may begin a key, is made again all the same", async () => {
    answers.set("key-one", (socket) => socket.end(answerOf(401, "Not with key-")));
    const unknown = { ...openai, refusals: undefined } as unknown as Provider;
    expect(await openFrom(10_000, unknown)).toEqual(["open", "two"]);
  });

  it("goes to the host of the key that serves then", async () => {
    await using eu = await rawServer();
    eu.answer = answer;
    hearRefusals(supply, async () => serving("key-of-eu", eu.origin));
    expect(await openFrom()).toEqual(["open", "-eu"]);
    expect(keysIn(server.received)).toEqual(["key-one"]);
    expect(keysIn(eu.received)).toEqual(["key-of-eu"]);
  });

  it("is made again by a socket of somebody else's that has but the agent", async () => {
    const { agent } = egressOf(openai as Provider, supply);
    expect(await listenTo(new WebSocket(url, { agent }) as never)).toEqual(["open", "two"]);
  });

  it("is given up after the third", async () => {
    let keys = 0;
    hearRefusals(supply, async () => {
      keys += 1;
      const key = `key-${keys}`;
      answers.set(key, (socket) => socket.end(answerOf(401, wrongKey)));
      return serving(key, server.origin);
    });
    expect(await openFrom()).toEqual([expect.objectContaining({ code: "key_replaced", orgId: "org" }), "close"]);
    expect(server.received).toHaveLength(3);
  });

  it("ends with the reason why nothing serves instead", async () => {
    const why = new ByokError("key_exhausted", "No more.", { orgId: "org" });
    hearRefusals(supply, async () => why);
    expect(await openFrom()).toEqual([why, "close"]);
    expect(await openFrom()).toEqual([why, "close"]);
    expect(server.received).toHaveLength(1);
  });

  it("is not made with the platform's where it names what only the customer's account has", async () => {
    const platform = {
      ...serving("key-two", server.origin),
      source: "platform" as const,
      secretId: null,
      standsInFor: "rejected" as const,
    };
    hearRefusals(supply, async () => platform);
    const ownVoice = "wss://api.elevenlabs.io/v1/text-to-speech/own-voice-of-the-org/stream-input";
    const body = '{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}';
    answers.set("key-one", (socket) => socket.end(answerOf(401, body)));
    expect(await openFrom(10_000, elevenlabs as Provider, ownVoice)).toEqual([
      expect.objectContaining({ code: "key_rejected", message: expect.stringContaining("a voice") }),
      "close",
    ]);
    expect(keysIn(server.received)).toEqual(["key-one"]);
    supply.now = serving("key-one", server.origin);
    const everybodys = ownVoice.replace("own-voice-of-the-org", "21m00Tcm4TlvDq8ikWAM");
    expect(await openFrom(10_000, elevenlabs as Provider, everybodys)).toEqual(["open", "two"]);
  });

  it.each([
    ["of a model", 400, '{"error":{"code":"model_not_found","type":"x","message":"No."}}', "provider_failed"],
    ["of a right", 403, '{"error":{"code":"missing_scope","type":"x","message":"No."}}', "key_rejected"],
    ["of the moment", 429, '{"error":{"code":"rate_limit_exceeded","type":"x","message":"No."}}', "provider_failed"],
    ["by a page", 401, "<html>No.</html>", "provider_failed"],
    ["by a server that fails", 503, wrongKey, "provider_failed"],
    ["by a redirect", 302, "", "host_refused"],
  ])("%s alone is told as it came", async (_of, status, body, code) => {
    answers.set("key-one", (socket) => socket.end(answerOf(status, body)));
    expect(await openFrom()).toEqual([expect.objectContaining({ code }), "close"]);
    expect(keysIn(server.received)).toEqual(["key-one"]);
    expect(told.refused).toEqual([]);
    expect(supply.sent.map((sent) => sent.status)).toEqual([status]);
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ["is silent", () => {}],
    ["drips", (socket) => void drip(socket, "HTTP/1.1 101 Switching Protocols\r\nx: ")],
    ["never reads", (socket) => socket.pause()],
    ["drips what was no refusal", (socket) => void drip(socket, "HTTP/1.1 500 No\r\nx: ")],
  ])("ends in time where the second peer %s", async (_what, behave) => {
    answers.set("key-two", behave);
    expect(await openFrom(400)).toEqual([expect.objectContaining({ code: "request_timeout", orgId: "org" }), "close"]);
    await waitFor(() => expect(supply.open.size).toBe(0));
    await waitFor(() => expect(server.sockets.every((socket) => socket.destroyed)).toBe(true));
  });

  it("ends in time where the second peer speaks no TLS", async () => {
    hearRefusals(supply, async () => serving("key-two", server.origin.replace("http", "https")));
    expect(await openFrom(400)).toEqual([expect.objectContaining({ code: "request_timeout", orgId: "org" }), "close"]);
    await waitFor(() => expect(server.sockets.every((socket) => socket.destroyed)).toBe(true));
  });

  it("ends in time where nobody says what serves instead", async () => {
    let signal: AbortSignal | null | undefined;
    hearRefusals(supply, async (_refused, given) => {
      signal = given;
      return await new Promise<never>((_resolve, reject) =>
        given?.addEventListener("abort", () => reject(given.reason)),
      );
    });
    expect(await openFrom(300)).toEqual([expect.objectContaining({ code: "request_timeout" }), "close"]);
    expect(signal?.aborted).toBe(true);
  });

  it("ends where it is given up, and makes no other", async () => {
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof serving>>();
    const { refused } = hearRefusals(supply, async () => await promise);
    const { WebSocket } = egressOf(openai as Provider, supply);
    const socket = new WebSocket(url);
    const events = listenTo(socket);
    await waitFor(() => expect(refused).toHaveLength(1));
    socket.terminate();
    expect(await events).toEqual([expect.any(Error), "close"]);
    resolve(serving("key-two", server.origin));
    await waitFor(() => expect(supply.sent).toHaveLength(1));
    expect(server.received).toHaveLength(1);
  });
});

const drip = (socket: Socket, head: string): void => {
  socket.write(head);
  const timer = setInterval(() => socket.write("x"), 20);
  socket.once("close", () => clearInterval(timer));
};

describe("a socket whose handshake was made again", () => {
  it("carries everything both ways, whole and in order, and ends as it is ended", async () => {
    const sockets = new WebSocketServer({ noServer: true });
    const closed: unknown[] = [];
    answers.set("key-two", () => {});
    const plain = server.answer;
    server.answer = (socket, head) => {
      if (keysIn([head])[0] !== "key-two") return plain(socket, head);
      socket.removeAllListeners("data");
      const headers = { "sec-websocket-key": /sec-websocket-key: (.*)\r\n/iu.exec(head)?.[1], upgrade: "websocket" };
      const request = { method: "GET", headers: { ...headers, "sec-websocket-version": "13" } };
      sockets.handleUpgrade(request as never, socket, Buffer.alloc(0), (echo) => {
        echo.on("message", (data, isBinary) => echo.send(data, { binary: isBinary }));
        echo.on("close", (code, reason) => closed.push(code, String(reason)));
      });
    };
    const { WebSocket } = egressOf(openai as Provider, supply);
    const socket = new WebSocket(url);
    await once(socket as never, "open");
    const sent = Array.from({ length: 40 }, (_, at) => Buffer.alloc(1 + at * 9_000, at));
    const heard: Buffer[] = [];
    socket.on("message", (data: Buffer) => heard.push(data));
    for (const one of sent) socket.send(one);
    await waitFor(() => expect(heard).toHaveLength(sent.length));
    expect(Buffer.concat(heard).equals(Buffer.concat(sent))).toBe(true);
    socket.close(4_000, "The call is over.");
    await waitFor(() => expect(closed).toEqual([4_000, "The call is over."]));
    await waitFor(() => expect(supply.open.size).toBe(0));
    expect(socket.readyState).toBe(3);
  });

  it.each([
    ["after its head", false],
    ["with its head", true],
  ])("tells of a refusal that comes on it %s, and passes that on", async (_when, isAtOnce) => {
    answers.set("key-two", () => {});
    const accepting = server.answer;
    server.answer = (socket, head) => {
      if (keysIn([head])[0] !== "key-two") return accepting(socket, head);
      if (isAtOnce) socket.cork();
      acceptSocket(socket, head);
      socket.write(textFrame('{"type":"session.created"}'));
      socket.write(textFrame(wrongKey));
      return socket.uncork();
    };
    const { WebSocket } = egressOf(openai as Provider, supply);
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    const heard: string[] = [];
    socket.on("message", (data) => heard.push(String(data)));
    await waitFor(() => expect(heard).toEqual(['{"type":"session.created"}', wrongKey]));
    const requests = supply.sent.map(({ request }) => request);
    expect(told.refused.map(({ serving: { secretId }, request }) => [secretId, request])).toEqual([
      ["key-one", requests[0]],
      ["key-two", requests[1]],
    ]);
    expect(told.taken.map(({ secretId }) => secretId)).toEqual(["key-two"]);
  });
});

describe("a peer that says more than is read", () => {
  it("waits while nobody reads, and loses nothing", async () => {
    const frames = Array.from({ length: 200 }, (_, at) => serverFrame(2, Buffer.alloc(60_000, at)));
    answers.set("key-one", () => {});
    const { WebSocket } = egressOf(openai as Provider, supply);
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    const heard: Buffer[] = [];
    socket.on("message", (data: Buffer) => heard.push(data));
    await waitFor(() => expect(server.received[0]).toMatch(/\r\n\r\n$/u));
    acceptSocket(server.sockets[0] as Socket, server.received[0] as string);
    await once(socket as never, "open");
    const paused = socket as unknown as { pause(): void; resume(): void; readonly _socket: SlotConnection };
    paused.pause();
    for (const frame of frames) server.sockets[0]?.write(frame);
    await waitFor(() => expect(paused._socket.socket.isPaused()).toBe(true));
    expect(heard).toEqual([]);
    paused.resume();
    await waitFor(() => expect(heard).toHaveLength(frames.length));
    expect(heard.every((data, at) => data.length === 60_000 && data[0] === at)).toBe(true);
  });
});

describe("another request through the agent whose key is refused", () => {
  const send = async (body = ""): Promise<{ readonly status: number | undefined; readonly body: string }> => {
    const { agent } = egressOf(openai as Provider, supply);
    const request = securely("https://api.openai.com/v1/chat/completions", { agent, method: "POST" });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  };

  it.each([
    ["with its length", (body: string) => answerOf(401, body)],
    [
      "in chunks",
      (body: string) =>
        `HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
    ["until its end", (body: string) => `HTTP/1.1 401 No\r\nconnection: close\r\n\r\n${body}`],
  ])("is not made again: its answer, %s, is the caller's, and the refusal is told", async (_how, toAnswer) => {
    answers.set("key-one", (socket) => socket.end(toAnswer(wrongKey)));
    expect(await send("spoken")).toEqual({ status: 401, body: wrongKey });
    await waitFor(() => expect(supply.sent.map(({ status }) => status)).toEqual([401]));
    expect(told.refused).toEqual([
      expect.objectContaining({ request: supply.sent[0]?.request, refusal: { kind: "rejected", reason: "wrong_key" } }),
    ]);
    expect(server.received).toHaveLength(1);
  });

  it("has ended only when it is known what to think of its key", async () => {
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    supply.onRefusal = async () => {
      await promise;
      order.push("known");
    };
    const { onRequest } = supply;
    supply.onRequest = (request) => {
      order.push("ended");
      onRequest(request);
    };
    await send();
    resolve();
    await waitFor(() => expect(order).toEqual(["known", "ended"]));
  });

  it("of one model alone is told to nobody, nor is an answer", async () => {
    answers.set("key-one", (socket) =>
      socket.end(answerOf(404, '{"error":{"code":"model_not_found","type":"x","message":"No."}}')),
    );
    expect(await send()).toMatchObject({ status: 404 });
    answers.set("key-one", (socket) => socket.end(answerOf(200, wrongKey)));
    expect(await send()).toMatchObject({ status: 200 });
    await waitFor(() => expect(supply.sent.map(({ status }) => status)).toEqual([404, 200]));
    expect(told.refused).toEqual([]);
  });
});
