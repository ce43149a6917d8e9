import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Egress } from "../../src/providers/egress/egress.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { credentialOf, egressOf, serving } from "../support/egress.ts";
import { type RecordingServer, recordingServer } from "../support/recording-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { marker, poisonedEnvironment } from "./poisoned-environment.ts";

const key = "customer-key-0123456789";
let server: RecordingServer;

/** Set before anything of ours or of an SDK is imported, and still set when clients are built and used. */
const poison = (): void => {
  for (const [name, value] of Object.entries(poisonedEnvironment)) vi.stubEnv(name, value);
};
poison();
const { sdkVersions } = await import("../support/sdks.ts");
const { deepgram } = await import("../../src/providers/deepgram.ts");
const { elevenlabs } = await import("../../src/providers/elevenlabs.ts");
const { openai } = await import("../../src/providers/openai.ts");
const { resend } = await import("../../src/providers/resend.ts");
const { xai } = await import("../../src/providers/xai.ts");
const { declareEndpoints, findEndpoint } = await import("../../src/providers/endpoints.ts");
const { parseKey } = await import("../../src/providers/key-format.ts");

const egress = (provider: Provider, prefix = "", requestTimeoutMs = 5_000): Egress =>
  egressOf(provider, serving(key, `${server.origin}${prefix}`), requestTimeoutMs);
const build = async <C>(provider: Provider<string, never, C>, prefix = "", requestTimeoutMs = 5_000): Promise<C> =>
  provider.connect(egress(provider as unknown as Provider, prefix, requestTimeoutMs), await provider.load?.());
const ignoreAnswer = async (work: PromiseLike<unknown>): Promise<void> =>
  void (await Promise.resolve(work).catch(() => {}));
const expectClean = (presented: string, requests = 1): void => {
  expect(server.arrived).toHaveLength(requests);
  for (const request of server.arrived) {
    expect(JSON.stringify(request)).not.toContain(marker);
    const { authorization, "xi-api-key": xi } = request.headers;
    expect(authorization ?? xi).toBe(presented);
  }
};

beforeEach(async () => {
  poison();
  server = await recordingServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("in an environment full of the platform's values", () => {
  it.each([openai, xai])("what $id receives is the customer's alone, from clones too", async (provider) => {
    const client = await build(provider as unknown as typeof openai as never, "/v1");
    const one = client as import("openai").OpenAI;
    await ignoreAnswer(one.models.list());
    await ignoreAnswer(one.withOptions({ timeout: 1_000 }).chat.completions.create({ model: "m", messages: [] }));
    await ignoreAnswer(one.withOptions({ baseURL: "http://127.0.0.1:9", apiKey: marker }).models.list());
    await ignoreAnswer(one.withOptions({}).withOptions({ fetch: globalThis.fetch }).models.list());
    expectClean(`Bearer ${key}`, 4);
  });

  it.each([openai, xai])("no path takes the key of $id to another host", async (provider) => {
    await using other = await recordingServer();
    const one = (await build(provider as never, "/v1")) as import("openai").OpenAI;
    await ignoreAnswer(one.get(`${other.origin}/v1/models`));
    await ignoreAnswer(one.withOptions({ fetch: globalThis.fetch }).get(`${other.origin}/v1/models`));
    expect(other.arrived).toEqual([]);
  });

  it.each([openai, xai])("a realtime socket of $id carries the customer's key and the model", async (provider) => {
    const socket = await provider.realtime?.(egress(provider as Provider, "/v1"), await provider.load?.(), {
      model: "voice-1",
    });
    expect(server.arrived[0]?.url).toContain("model=voice-1");
    expectClean(`Bearer ${key}`);
    socket?.close();
  });

  it("what deepgram receives is the customer's alone, over HTTP and over its websocket", async () => {
    const client = (await build(deepgram as never)) as import("@deepgram/sdk").DeepgramClient;
    await ignoreAnswer(client.manage.v1.projects.list());
    const socket = await client.listen.v1.connect({ model: "nova-3-general", Authorization: undefined as never });
    const opened = new Promise((resolve) => socket.on("open", () => resolve(true)));
    socket.connect();
    await opened;
    socket.close();
    expectClean(`Token ${key}`, 2);
  });

  it("what elevenlabs receives is the customer's alone, over HTTP and over its websocket", async () => {
    const client = (await build(elevenlabs as never)) as import("@elevenlabs/elevenlabs-js").ElevenLabsClient;
    await ignoreAnswer(client.models.list());
    await ignoreAnswer(client.textToSpeech.stream("voice", { text: "hello" }));
    const options = { modelId: "scribe_realtime", audioFormat: "ulaw_8000", sampleRate: 8_000 } as never;
    const socket = await client.speechToText.realtime.connect(options);
    // It may be closed before it is open, which is an error to nobody's surprise.
    socket.on("error" as never, () => {});
    await waitFor(() => expect(server.arrived).toHaveLength(3));
    socket.close();
    expectClean(key, 3);
  });

  it("what resend receives is the customer's alone", async () => {
    const client = (await build(resend as never)) as import("resend").Resend;
    await client.domains.list();
    await client.emails.send({ from: "a@b.example", to: "c@d.example", subject: "s", text: "t" });
    expectClean(`Bearer ${key}`, 2);
    expect(server.arrived.map(({ headers }) => headers["user-agent"])).toEqual(["byokit", "byokit"]);
  });
});

describe("under an Object.prototype that somebody has filled", () => {
  const fill = async (value: unknown, names: readonly string[], work: () => Promise<void>): Promise<void> => {
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
      try {
        await work();
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
  };

  it.each([
    deepgram,
    elevenlabs,
    openai,
    resend,
    xai,
  ])("a check of $id asks its own host with its own headers", async (provider) => {
    await using other = await recordingServer();
    const check = () =>
      provider
        .check?.(credentialOf(provider as Provider, key, `${server.origin}/v1`), new AbortController().signal)
        .catch(() => undefined);
    const ask = async (): Promise<void> => void (await check());
    await ask();
    const [clean] = server.arrived.splice(0);
    const words = ["baseUrl", "websocketUrl", "Authorization", "path", "url", "method", "body", "region"];
    await fill(other.origin, [...words, "referrer", "integrity", "send"], ask);
    await fill({ "x-planted": marker, authorization: marker }, ["headers", "requestInit"], ask);
    await fill(false, ["redacts"], ask);
    expect(other.arrived).toEqual([]);
    expect(server.arrived.length).toBeGreaterThan(10);
    for (const { method, url, headers, body } of server.arrived) {
      expect({ method, url, headers, body }).toEqual(clean);
    }
  });

  it("no provider takes a host, a region or a refused key from it", async () => {
    const declared = { openai: { baseUrl: "https://proxy.example/v1" } };
    const all = new Map<string, Provider>([["openai", openai]]);
    await fill("wss://planted.example", ["websocketUrl", "region"], async () => {
      for (const options of [declared, { openai: "https://proxy.example/v1" }]) {
        const [endpoint] = [...declareEndpoints(options, all).values()];
        expect(endpoint).toEqual({
          baseUrl: "https://proxy.example/v1",
          websocketUrl: "wss://proxy.example/v1",
          region: null,
        });
      }
    });
    await fill({ baseUrl: "https://planted.example", websocketUrl: "wss://planted.example" }, ["mars"], async () => {
      expect(findEndpoint(openai, "mars", undefined)).toBeUndefined();
    });
    await fill({ mars: openai.endpoint }, ["regions"], async () => {
      expect(findEndpoint(xai, "mars", undefined)).toBeUndefined();
    });
    const { keyPrefixes: _prefixes, refusedPrefixes: _refused, ...bare } = openai;
    for (const planted of ["customer", ["customer"], { customer: "planted" }]) {
      await fill(planted, ["keyPrefixes", "refusedPrefixes"], async () => {
        expect(parseKey(bare as Provider, key, [bare as Provider, deepgram]).reveal()).toBe(key);
      });
    }
  });
});

/** What a client of each provider is asked, and what stands before the paths of its host. */
const calls: Readonly<Record<string, readonly [prefix: string, call: (client: never) => PromiseLike<unknown>]>> = {
  openai: ["/v1", (client: import("openai").OpenAI) => client.models.list()],
  xai: ["/v1", (client: import("openai").OpenAI) => client.models.list()],
  deepgram: ["", (client: import("@deepgram/sdk").DeepgramClient) => client.manage.v1.projects.list()],
  elevenlabs: ["", (client: import("@elevenlabs/elevenlabs-js").ElevenLabsClient) => client.models.list()],
  resend: ["", (client: import("resend").Resend) => client.domains.list()],
};

describe.each(sdkVersions)("a client of $name", ({ provider, load }) => {
  const [prefix, call] = calls[provider.id] ?? ["", () => Promise.reject(new Error("No call."))];
  const connect = async (requestTimeoutMs?: number): Promise<unknown> =>
    provider.connect(egress(provider, prefix, requestTimeoutMs), await load());
  const outcome = async (client: unknown): Promise<unknown> =>
    await Promise.resolve(call(client as never)).catch((error: unknown) => error);

  it("shows its key to nobody who inspects, spreads or serialises it, before and after a call", async () => {
    const client = (await connect()) as object;
    const shown = (): string[] => [
      inspect(client, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      inspect(client, { depth: Number.POSITIVE_INFINITY, showHidden: true, customInspect: false }),
      inspect({ ...client }, { depth: 4 }),
      (() => {
        try {
          return JSON.stringify(client);
        } catch (error) {
          return String(error);
        }
      })(),
    ];
    for (const text of shown()) expect(text).not.toContain(key);
    await outcome(client);
    for (const text of shown()) expect(text).not.toContain(key);
  });

  it("keeps the key out of what a provider's error echoes", async () => {
    server.answer = ({ headers }, response) => {
      const echoed = `wrong key ${headers.authorization ?? String(headers["xi-api-key"])}`;
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: echoed }, message: echoed, detail: { message: echoed } }));
    };
    const failed = await outcome(await connect());
    expect(server.arrived.length).toBeGreaterThan(0);
    const shown = inspect(failed, { depth: Number.POSITIVE_INFINITY, showHidden: true });
    expect(shown).toContain("[key removed]");
    expect(shown).not.toContain(key);
  });

  it("follows no redirect", async () => {
    await using other = await recordingServer();
    server.answer = (_request, response) => response.writeHead(307, { location: `${other.origin}/` }).end();
    await outcome(await connect());
    expect(other.arrived).toEqual([]);
  });

  it.each(["headers", "body"])("ends a request whose %s stall", async (what) => {
    server.answer = (_request, response) => {
      if (what === "body") response.writeHead(200, { "content-type": "application/json" }).write('{"data":');
    };
    const failed = await outcome(await connect(150));
    expect(inspect(failed, { depth: 8 })).toMatch(/request_timeout|did not answer within 150 ms/u);
  });
});
