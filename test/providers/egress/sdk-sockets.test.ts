import { createHash, createHmac } from "node:crypto";
import { Agent, createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { inspect } from "node:util";
import type { DeepgramClient } from "@deepgram/sdk";
import type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { byokErrorOf } from "../../../src/byok-error-of.ts";
import { ByokError } from "../../../src/errors.ts";
import { deepgram } from "../../../src/providers/deepgram.ts";
import type { Egress } from "../../../src/providers/egress/egress.ts";
import { elevenlabs } from "../../../src/providers/elevenlabs.ts";
import { openai } from "../../../src/providers/openai.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { xai } from "../../../src/providers/xai.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { acceptSocket, headersOf, type RawServer, rawServer, textFrame } from "../../support/raw-server.ts";
import { type SwitchedSupply, switchedSupply } from "../../support/switched-supply.ts";
import { waitFor } from "../../support/wait-for.ts";
import { marker, poisonedEnvironment } from "../poisoned-environment.ts";

const revoked = new ByokError("key_revoked", "The organisation has removed its key.", { orgId: "org" });
const loaded = new Map<Provider, unknown>();
let server: RawServer;
let supply: SwitchedSupply;

beforeAll(async () => {
  for (const provider of [deepgram, elevenlabs, openai, xai]) loaded.set(provider, await provider.load?.());
}, 60_000);
beforeEach(async () => {
  for (const [name, value] of Object.entries(poisonedEnvironment)) vi.stubEnv(name, value);
  server = await rawServer();
  server.answer = (socket, head) => acceptSocket(socket, head);
  supply = switchedSupply(serving("key-one", server.origin));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const wayOf = (provider: Provider, limitMs = 2_000): Egress => egressOf(provider, supply, limitMs);
const clientOf = <C>(provider: Provider<string, never, C>): C =>
  provider.connect(wayOf(provider as unknown as Provider), loaded.get(provider as unknown as Provider)) as C;
const keysIn = (received: readonly string[]): string[] =>
  received.flatMap((head) => headersOf(head, "authorization", "xi-api-key"));
const cut = (at: RawServer): void => void at.sockets.at(-1)?.destroy();

interface Live {
  /** Every error that it tells. */
  readonly errors: unknown[];
  readonly shown: unknown;
}

/** As much of a socket of Deepgram's as is used: each kind has its own types. */
interface DeepgramSocket {
  readonly socket: { readonly _options: { minReconnectionDelay?: number } };
  on(event: string, listener: (value: unknown) => void): void;
  connect(): unknown;
  close(): void;
}

const deepgramSockets: Record<string, (client: DeepgramClient) => Promise<unknown>> = {
  "deepgram listen.v1": (client) => client.listen.v1.connect({ model: "nova-3", Authorization: undefined as never }),
  "deepgram listen.v2": (client) => client.listen.v2.connect({ model: "flux-general-en" } as never),
  "deepgram speak.v1": (client) => client.speak.v1.connect({ model: "aura-2-thalia-en" } as never),
  "deepgram agent.v1": (client) => client.agent.v1.createConnection({} as never),
};

const openDeepgram = async (connect: (client: DeepgramClient) => Promise<unknown>): Promise<Live> => {
  const client = clientOf(deepgram as never) as DeepgramClient;
  const socket = (await connect(client)) as DeepgramSocket;
  socket.socket._options.minReconnectionDelay = 1;
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  onTestFinished(() => socket.close());
  socket.connect();
  return { errors, shown: [client, socket] };
};

const openOpenAI = async (): Promise<Live> => {
  const { agent, placeholder, baseUrl } = wayOf(openai as never);
  const socket = new OpenAIRealtimeWS(
    { model: "m", reconnect: true, reconnectInitialDelay: 1, reconnectMaxDelay: 1, options: { agent } },
    { apiKey: placeholder, baseURL: baseUrl },
  );
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  onTestFinished(() => socket.close());
  return { errors, shown: socket };
};

const reconnecting: readonly (readonly [string, () => Promise<Live>])[] = [
  ...Object.entries(deepgramSockets).map(([name, connect]) => [name, () => openDeepgram(connect)] as const),
  ["openai realtime", openOpenAI],
];

describe.each(reconnecting)("a socket that reconnects, of %s,", (_name, openSocket) => {
  it("has the key that serves then, at the host that serves then, and none once it is removed", async () => {
    await using eu = await rawServer();
    eu.answer = (socket, head) => acceptSocket(socket, head);
    const { errors, shown } = await openSocket();
    await waitFor(() => expect(server.received).toHaveLength(1));
    await waitFor(() => expect(keysIn(server.received)).toHaveLength(1));
    supply.now = serving("key-two", server.origin);
    cut(server);
    await waitFor(() => expect(keysIn(server.received)).toHaveLength(2));
    supply.now = serving("key-of-eu", eu.origin);
    cut(server);
    await waitFor(() => expect(keysIn(eu.received)).toHaveLength(1));
    expect(keysIn([...server.received, ...eu.received]).map((line) => line.replace(/.*[ ]/u, ""))).toEqual([
      "key-one",
      "key-two",
      "key-of-eu",
    ]);
    expect([...server.received, ...eu.received].join("")).not.toMatch(new RegExp(`${marker}|byokit-placeholder`, "u"));
    expect(inspect(shown, { depth: 12, showHidden: true })).not.toMatch(/key-one|key-two|key-of-eu/u);
    const told = errors.length;
    supply.now = revoked;
    cut(eu);
    await waitFor(() => expect(errors.length).toBeGreaterThan(told));
    expect([server.received.length, eu.received.length]).toEqual([2, 1]);
  });

  it("is told why it is closed when its key is removed", async () => {
    const { errors } = await openSocket();
    await waitFor(() => expect(keysIn(server.received)).toHaveLength(1));
    supply.now = revoked;
    for (const close of supply.open) close(revoked);
    await waitFor(() => expect(errors).not.toEqual([]));
    // OpenAI's own recovery says no more than that it has failed.
    expect(String(errors[0])).toMatch(/removed its key|reconnect failed/u);
    expect(server.received).toHaveLength(1);
  });
});

describe("a refused key", () => {
  it("is tried no more often than Deepgram's options say", async () => {
    server.answer = (socket) => socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
    const { errors } = await openDeepgram((client) =>
      client.listen.v1.connect({ model: "nova-3", reconnectAttempts: 2, Authorization: undefined as never }),
    );
    await waitFor(() => expect(errors).not.toEqual([]));
    expect(server.received.length).toBeLessThanOrEqual(3);
  });

  it("is not sent by an agent of the caller's, nor a placeholder", async () => {
    await using other = await rawServer();
    const agent = new Agent();
    agent.createConnection = () => connect(other.port, "127.0.0.1");
    await openDeepgram((client) =>
      client.listen.v1.connect({ model: "nova-3", agent, Authorization: undefined as never } as never),
    );
    await waitFor(() => expect(keysIn(server.received)).toEqual(["authorization: Token key-one"]));
    expect(other.received).toEqual([]);
  });
});

describe.each([
  ["newest", () => loaded.get(deepgram as never)],
  ["5.0.0", () => import("deepgram-5")],
])("Deepgram's SDK, %s,", (_version, load) => {
  const connect = async (): Promise<DeepgramSocket & { off?(event: string, listener: unknown): void }> => {
    const client = deepgram.connect(wayOf(deepgram as never), await load());
    const socket = await client.listen.v1.connect({ model: "nova-3", Authorization: undefined as never });
    onTestFinished(() => socket.close());
    return socket as never;
  };

  it("has an error that is told as byokit's, in its own", async () => {
    supply.now = revoked;
    const socket = await connect();
    const told = new Promise((resolve) => socket.on("error", resolve));
    const opening = socket.connect() as { waitForOpen(): Promise<unknown> };
    await expect(opening.waitForOpen().catch(byokErrorOf)).resolves.toBe(revoked);
    expect(byokErrorOf(await told)).toBe(revoked);
  });

  it("sends a text that is no JSON: an error, and no end of the process or of the socket", async () => {
    server.answer = (socket, head) => {
      acceptSocket(socket, head);
      for (const text of ["<html>", '{"type":"Results"}']) socket.write(textFrame(text));
    };
    const socket = await connect();
    const told: unknown[] = [];
    socket.on("error", (error) => told.push(error));
    const heard = new Promise((resolve) => socket.on("message", resolve));
    socket.connect();
    expect(await heard).toEqual({ type: "Results" });
    expect(told.map((error) => byokErrorOf(error)?.code)).toEqual(["provider_failed"]);
    expect(server.received).toHaveLength(1);
  });

  it("hears no more of a listener that is taken off", async () => {
    supply.now = revoked;
    const socket = await connect();
    const told: unknown[] = [];
    const listener = (error: unknown): void => void told.push(error);
    socket.on("error", listener);
    if (socket.off === undefined) socket.on("error", () => {});
    else socket.off("error", listener);
    const failed = new Promise((resolve) => (socket.socket as never as EventTarget).addEventListener("error", resolve));
    socket.connect();
    await failed;
    expect(told).toEqual([]);
  });
});

describe("ElevenLabs", () => {
  const connectScribe = (client: ElevenLabsClient, more: object = {}) =>
    client.speechToText.realtime.connect({
      modelId: "scribe_realtime",
      audioFormat: "ulaw_8000",
      sampleRate: 8_000,
      ...more,
    } as never);

  it("has the slot's key in its realtime socket, whatever token the caller has", async () => {
    const socket = await connectScribe(clientOf(elevenlabs as never), {
      token: "single-use",
      baseUri: "ws://evil.example",
    });
    onTestFinished(() => socket.close());
    await waitFor(() => expect(keysIn(server.received)).toEqual(["xi-api-key: key-one"]));
    expect(server.received[0]).not.toMatch(/single-use/u);
  });

  it.each([
    ["no JSON", "<html>upstream error</html>"],
    ["no object", "null"],
  ])("sends a frame that is %s: an error, and no end of the process", async (_what, frame) => {
    server.answer = (socket, head) => {
      acceptSocket(socket, head);
      socket.write(textFrame(frame));
      socket.write(textFrame(JSON.stringify({ message_type: "session_started" })));
    };
    const socket = await connectScribe(clientOf(elevenlabs as never));
    onTestFinished(() => socket.close());
    const told: unknown[] = [];
    socket.on("error" as never, (error: unknown) => told.push(error));
    const started = new Promise((resolve) => socket.on("session_started" as never, () => resolve(true)));
    await started;
    expect(told).toEqual([expect.objectContaining({ code: "provider_failed", provider: "elevenlabs" })]);
  });

  it("refuses a socket, or is refused one, and nobody listens: the process lives", async () => {
    server.answer = (socket) => socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
    for (const now of [supply.now, revoked]) {
      supply.now = now;
      const socket = await connectScribe(clientOf(elevenlabs as never));
      await new Promise<void>((resolve) => socket.on("close" as never, () => resolve()));
    }
    expect(server.received).toHaveLength(1);
  });

  it("verifies what calls in with the key that serves, and with no placeholder", async () => {
    const way = wayOf(elevenlabs as never);
    const client = elevenlabs.connect(way, loaded.get(elevenlabs as never));
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
    const signedWith = (key: string): Record<string, string> => {
      const now = Math.floor(Date.now() / 1_000);
      const claims = { iss: "https://api.elevenlabs.io/convai/speech-engine", sub: "convai_speech_engine_upstream" };
      const head = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...claims, iat: now, exp: now + 60 })}`;
      const secret = createHash("sha256").update(key).digest();
      const signature = createHmac("sha256", secret).update(head).digest("base64url");
      return { "x-elevenlabs-speech-engine-authorization": `${head}.${signature}` };
    };
    const inbound = createServer();
    client.speechEngine.attach("seng_1", inbound, "/calls", { onTranscript: () => {} } as never);
    await new Promise<void>((resolve) => inbound.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void inbound.close());
    const isLetIn = (key: string): Promise<boolean> => {
      const { port } = inbound.address() as AddressInfo;
      const calling = new WebSocket(`ws://127.0.0.1:${port}/calls`, { headers: signedWith(key) });
      onTestFinished(() => calling.terminate());
      return new Promise((resolve) => calling.on("open", () => resolve(true)).on("error", () => resolve(false)));
    };
    expect(await isLetIn("key-one")).toBe(true);
    expect(await isLetIn(way.placeholder)).toBe(false);
    supply.now = serving("key-two", server.origin);
    expect(await isLetIn("key-two")).toBe(true);
    expect(await isLetIn("key-one")).toBe(false);
    supply.now = revoked;
    expect(await isLetIn("key-two")).toBe(false);
    expect(inspect(client, { depth: 12, showHidden: true })).not.toMatch(/key-one|key-two/u);
  });
});

describe.each([openai, xai])("connect() of $id", (provider) => {
  const open = (limitMs = 2_000, signal?: AbortSignal) =>
    (provider as typeof openai).realtime?.(wayOf(provider as never, limitMs), loaded.get(provider as never), {
      model: "m",
      ...(signal === undefined ? {} : { signal }),
    }) as Promise<OpenAIRealtimeWS>;

  it.each([
    ["HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", "key_rejected"],
    ["HTTP/1.1 403 No\r\ncontent-length: 9999\r\n\r\n", "key_rejected"],
    ["HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n", "provider_failed"],
    ["HTTP/1.1 402 No\r\ncontent-length: 0\r\n\r\n", "key_exhausted"],
    ["HTTP/1.1 429 No\r\ncontent-length: 0\r\n\r\n", "provider_failed"],
    ["HTTP/1.1 302 To\r\nlocation: ws://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n", "host_refused"],
    ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "provider_failed"],
    ["HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "provider_failed"],
    [
      "HTTP/1.1 101 Yes\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: no\r\n\r\n",
      "provider_failed",
    ],
    ["not HTTP\r\n\r\n", "provider_failed"],
    ["", "request_timeout"],
    ["HTTP/1.1 101 Switching", "request_timeout"],
  ])("after the answer %j is %s", async (answer, code) => {
    server.answer = (socket) => void socket.write(answer);
    await expect(open(code === "request_timeout" ? 200 : 10_000)).rejects.toMatchObject({ code, orgId: "org" });
    await waitFor(() => expect(supply.open.size).toBe(0));
  });

  it("passes byokit's own refusals on, and sends nothing", async () => {
    supply.now = revoked;
    await expect(open()).rejects.toBe(revoked);
    expect(server.received).toEqual([]);
  });

  it("ends with its signal: before, while the connection is opened, and while the answer is awaited", async () => {
    const why = new Error("The caller hung up.");
    await expect(open(2_000, AbortSignal.abort(why))).rejects.toBe(why);
    server.answer = () => {};
    const opening = new AbortController();
    const early = open(2_000, opening.signal);
    opening.abort(why);
    await expect(early).rejects.toBe(why);
    const awaiting = new AbortController();
    const late = open(2_000, awaiting.signal);
    await waitFor(() => expect(keysIn(server.received)).toHaveLength(1));
    awaiting.abort(why);
    await expect(late).rejects.toBe(why);
    await waitFor(() => expect(supply.open.size).toBe(0));
  });

  it("loses nothing of what the provider says first", async () => {
    server.answer = (socket, head) => {
      acceptSocket(socket, head);
      socket.write(textFrame('{"type":"session.created","session":{}}'));
    };
    for (let turn = 0; turn < 20; turn += 1) {
      const socket = await open();
      await new Promise((resolve) => socket.on("session.created", resolve));
      socket.socket.terminate();
    }
  });

  it("opens a socket that stays paused where its caller pauses it at once", async () => {
    const { socket } = await open();
    socket.pause();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const connection = (socket as unknown as { readonly _socket: { isPaused(): boolean } })._socket;
    expect(connection.isPaused()).toBe(true);
    socket.terminate();
  });

  it("opens a socket that tells why it is closed", async () => {
    const socket = await open();
    const told = new Promise((resolve) => socket.on("error", resolve));
    for (const close of supply.open) close(revoked);
    expect(byokErrorOf(await told)).toBe(revoked);
  });
});

describe("under a prototype that somebody has filled", () => {
  it.each([
    "baseUrl",
    "baseURL",
    "environment",
    "url",
    "host",
    "hostname",
    "agent",
    "headers",
    "token",
    "path",
  ])("with `%s`, no socket goes to another host", async (name) => {
    await using evil = await rawServer();
    evil.answer = (socket, head) => acceptSocket(socket, head);
    Object.defineProperty(Object.prototype, name, { value: evil.origin, configurable: true, writable: true });
    try {
      const live = await openDeepgram((client) =>
        client.listen.v1.connect({ model: "m", Authorization: undefined as never }),
      );
      await waitFor(() => expect(server.received.length + live.errors.length).toBeGreaterThan(0));
      const client = clientOf(elevenlabs as never) as ElevenLabsClient;
      const scribe = await client.speechToText.realtime.connect({ modelId: "m", sampleRate: 8_000 } as never);
      onTestFinished(() => scribe.close());
      await waitFor(() => expect(keysIn(server.received).join()).toContain("xi-api-key: key-one"));
      const socket = await openai.realtime?.(wayOf(openai as never), loaded.get(openai as never), { model: "m" });
      onTestFinished(() => socket?.close());
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
    expect(evil.received).toEqual([]);
    expect(keysIn(server.received)).toEqual([
      "authorization: Token key-one",
      "xi-api-key: key-one",
      "authorization: Bearer key-one",
    ]);
  });
});
