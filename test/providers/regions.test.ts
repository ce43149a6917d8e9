import dns from "node:dns";
import type { DeepgramClient } from "@deepgram/sdk";
import type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import type OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyManager,
  memoryStore,
  type Provider,
  type Resolver,
} from "../../src/index.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";

/** The hosts whose address somebody asked for. None gets one: no request of this file leaves the machine. */
const asked: string[] = [];
let manager: KeyManager;
let resolver: Resolver;

const refuseLookup = (host: string, ...rest: unknown[]): void => {
  asked.push(host);
  const answer = rest.at(-1) as (error: Error) => void;
  process.nextTick(answer, Object.assign(new Error("not found"), { code: "ENOTFOUND" }));
};
const ended = async (work: PromiseLike<unknown>): Promise<void> =>
  void (await Promise.resolve(work).catch(() => undefined));

/** One HTTP request each, and a websocket where the SDK opens one. */
const talk: Readonly<Record<string, (orgId: string) => Promise<void>>> = {
  async openai(orgId) {
    const { realtime } = await resolver.resolve(orgId, { realtime_config: { provider: "openai" } });
    await ended((realtime.client as OpenAI).models.list({ maxRetries: 0 }));
    await ended(realtime.connect());
  },
  async xai(orgId) {
    const { realtime } = await resolver.resolve(orgId, { realtime_config: { provider: "xai" } });
    await ended((realtime.client as OpenAI).models.list({ maxRetries: 0 }));
    await ended(realtime.connect());
  },
  async deepgram(orgId) {
    const { stt } = await resolver.resolve(orgId, { stt_config: { provider: "deepgram" } });
    const client = stt.client as DeepgramClient;
    await ended(client.manage.v1.projects.list({ maxRetries: 0 }));
    const socket = await client.listen.v1.connect({ model: stt.model } as never);
    const failed = new Promise((resolve) => socket.on("error", resolve));
    socket.connect();
    await failed;
    socket.close();
  },
  async elevenlabs(orgId) {
    const { tts } = await resolver.resolve(orgId, { tts_config: { provider: "elevenlabs" } });
    const client = tts.client as ElevenLabsClient;
    await ended(client.models.list({ maxRetries: 0 }));
    const options = { modelId: "scribe_realtime", audioFormat: "ulaw_8000", sampleRate: 8_000 } as never;
    const socket = await client.speechToText.realtime.connect(options);
    await new Promise((resolve) => socket.on("error" as never, resolve));
  },
  async resend(orgId) {
    const { client } = await resolver.client(orgId, "resend");
    await client.domains.list();
  },
};

beforeAll(async () => {
  vi.spyOn(dns, "lookup").mockImplementation(refuseLookup as never);
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  manager = createKeyManager({ store, keyring, verify: "off" });
  resolver = createResolver({ store, keyring });
  await resolver.ready();
});
beforeEach(() => void asked.splice(0));
afterAll(async () => {
  vi.restoreAllMocks();
  await resolver.close();
});

/** The providers whose SDK opens a websocket of its own. */
const withSocket = ["openai", "xai", "deepgram", "elevenlabs"];
const hostOf = (url: string): string => new URL(url).hostname;
const expectAsked = (id: string, host: string): void => {
  expect(asked.length).toBeGreaterThanOrEqual(withSocket.includes(id) ? 2 : 1);
  expect(new Set(asked)).toEqual(new Set([host]));
};

describe.each(builtinProviders as readonly Provider[])("a key of $id", ({ id, endpoint, regions = {} }) => {
  it("talks to the provider's default host when it names no region", async () => {
    await manager.set(`${id}-org`, { provider: id, apiKey: "customer-key" });
    await talk[id]?.(`${id}-org`);
    expectAsked(id, hostOf(endpoint.baseUrl));
  });

  it.each(Object.entries(regions))("with the region %s talks to that region's host alone", async (region, at) => {
    const orgId = `${id}-${region}`;
    await manager.set(orgId, { provider: id, apiKey: "customer-key", region });
    await talk[id]?.(orgId);
    expectAsked(id, hostOf(at.baseUrl));
    expect(hostOf(at.websocketUrl)).toBe(hostOf(at.baseUrl));
  });
});
