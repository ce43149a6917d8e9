import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as ws from "ws";
import { defineProvider } from "../../src/index.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import type { Canary, CanaryStep } from "../../src/providers/canary/canary.ts";
import { runCanary, Unproven } from "../../src/providers/canary/canary-run.ts";
import { loadProven, prove } from "../../src/providers/canary/prove-sdk.ts";
import { isWithin } from "../../src/providers/canary/sdk-version.ts";
import { deepgram } from "../../src/providers/deepgram.ts";
import { type Egress, SlotEgress } from "../../src/providers/egress/egress.ts";
import { supplyOf } from "../../src/providers/egress/key-supply.ts";
import { elevenlabs } from "../../src/providers/elevenlabs.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { SdkLoader } from "../../src/resolver/sdk-loader.ts";
import { caught } from "../support/caught.ts";
import { serving } from "../support/egress.ts";
import { recordingServer } from "../support/recording-server.ts";
import { sdkVersions } from "../support/sdks.ts";
import { waitFor } from "../support/wait-for.ts";
import { poisonedEnvironment } from "./poisoned-environment.ts";

/** Every host that a request of this process was made for, by `node:http` or by `fetch`. */
let hosts: Set<string>;
const onRequest = (message: unknown): void => {
  const { request } = message as { request: { host?: string; origin?: string } };
  hosts.add(request.origin === undefined ? String(request.host) : new URL(request.origin).hostname);
};
const channels = ["http.client.request.start", "undici:request:create"];

beforeEach(() => {
  hosts = new Set();
  for (const [name, value] of Object.entries(poisonedEnvironment)) vi.stubEnv(name, value);
  for (const channel of channels) subscribe(channel, onRequest);
});
afterEach(() => {
  for (const channel of channels) unsubscribe(channel, onRequest);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const openHandles = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => /^TCP(?:Server|Socket)Wrap$/u.test(name));

describe.each(sdkVersions)("$name", ({ provider, load }) => {
  it("is proven in an environment full of the platform's values, asks nobody else and leaves nothing open", async () => {
    const loaded = await load();
    const before = openHandles().length;
    await prove(provider, provider.canary as Canary, loaded);
    expect([...hosts]).toEqual(["127.0.0.1"]);
    await waitFor(() => expect(openHandles().length).toBeLessThanOrEqual(before));
  });
});

describe("an SDK of another version", () => {
  it("of Deepgram's, which knows no option of byokit's, is refused before it sends anything", async () => {
    for (const key of [poisonedEnvironment["DEEPGRAM_API_KEY"], undefined]) {
      vi.stubEnv("DEEPGRAM_API_KEY", key);
      const proof = prove(deepgram as Provider, deepgram.canary as Canary, await import("deepgram-4"));
      await expect(proof).rejects.toMatchObject({ code: "sdk_unsupported", provider: "deepgram", retryable: false });
    }
    expect([...hosts]).toEqual(["127.0.0.1"]);
  });

  it("of ElevenLabs', which takes no `fetch`, is refused", async () => {
    const sdk = await import("@elevenlabs/elevenlabs-js");
    class ElevenLabsClient extends sdk.ElevenLabsClient {
      constructor({ fetch: _fetch, ...options }: ConstructorParameters<typeof sdk.ElevenLabsClient>[0] = {}) {
        super(options);
      }
    }
    const proof = prove(elevenlabs as Provider, elevenlabs.canary as Canary, { ...sdk, ElevenLabsClient });
    await expect(proof).rejects.toThrow("sends a request without the key that serves");
    expect([...hosts]).toEqual(["127.0.0.1"]);
  });

  it("that lacks what is built on is refused, whether its import or its client fails", async () => {
    const { canary } = deepgram;
    const load = async (): Promise<never> => await Promise.reject(new TypeError("Class extends value undefined"));
    const error = await caught(loadProven({ ...deepgram, canary: { ...canary }, load } as Provider));
    expect(error).toMatchObject({ code: "sdk_unsupported", provider: "deepgram" });
    expect(error.message).toContain('npm install "@deepgram/sdk@>=5.0.0 <6"');
    await expect(prove(deepgram as Provider, canary as Canary, {})).rejects.toThrow("builds no client");
  });
});

/** A vendor whose client does what a test says. */
const vendor = (run: CanaryStep<Egress>["run"], more: Partial<Provider> = {}): Provider & { canary: Canary } =>
  defineProvider({
    id: "vendor",
    name: "Vendor",
    category: "tts",
    docsUrl: "https://vendor.example",
    serves: ["tts"],
    endpoint: { baseUrl: "https://vendor.example/v1", websocketUrl: "wss://vendor.example/v1" },
    models: [],
    connect: (egress) => egress,
    canary: { sdk: "ws", versions: ">=8.0.0 <9", steps: [{ sends: "a request", run }] },
    ...more,
  } as Provider) as Provider & { canary: Canary };

const ask = ({ fetch, baseUrl }: Egress, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${baseUrl}/models`, { headers });

const outcome = async (provider: Provider & { canary: Canary }, limitMs?: number): Promise<unknown> =>
  await runCanary(provider, provider.canary, undefined, limitMs).catch((error: unknown) => error);

describe("a client is refused that", () => {
  it("sends nothing, whatever it throws or waits for", async () => {
    const waits = vendor(() => new Promise(() => {}));
    expect(await outcome(waits, 50)).toEqual(new Unproven("does not send a request through byokit", true));
    const throws = vendor(() => Promise.reject(new Error("no such method")));
    expect(await outcome(throws)).toEqual(new Unproven("does not send a request through byokit"));
  });

  it("goes round byokit, over HTTP or by a socket", async () => {
    const error = new Unproven("sends a request without the key that serves");
    const headers = { authorization: "Bearer its-own" };
    expect(await outcome(vendor(({ baseUrl }) => globalThis.fetch(baseUrl, { headers })))).toEqual(error);
    const open = vendor(async ({ websocketUrl }) => {
      const socket = new ws.WebSocket(websocketUrl, { headers });
      await new Promise((resolve) => socket.on("close", resolve).on("error", resolve));
    });
    expect(await outcome(open)).toEqual(error);
  });

  it("has a credential of its own", async () => {
    const error = new Unproven("sends a request with a credential of its own");
    expect(await outcome(vendor((egress) => ask(egress, { authorization: "Bearer its-own" })))).toEqual(error);
  });

  it("sends what the environment says, in a header that every request may have", async () => {
    vi.stubEnv("VENDOR_TOKEN", "token-of-the-platform");
    const error = new Unproven("sends a request with credentials of the environment");
    expect(await outcome(vendor((egress) => ask(egress, { "user-agent": "v1 token-of-the-platform" })))).toEqual(error);
  });

  it("sends its placeholder in a place where byokit puts no key", async () => {
    const error = new Unproven("sends a request with its placeholder");
    expect(await outcome(vendor((egress) => ask(egress, { "user-agent": egress.placeholder })))).toEqual(error);
  });

  it("holds what the environment says, before it sends anything", async () => {
    vi.stubEnv("VENDOR_TOKEN", "token-of-the-platform");
    const connect = (egress: Egress): object =>
      Object.assign(egress, { options: new Map([["headers", [process.env["VENDOR_TOKEN"]]]]) });
    const error = new Unproven("puts credentials of the environment into its client");
    expect(await outcome(vendor((egress) => ask(egress), { connect }))).toEqual(error);
  });

  it("has come by a key", async () => {
    const kept: string[] = [];
    const connect = (egress: Egress): object => Object.assign(egress, { kept });
    const keep = (message: unknown): void => void kept.push(String((message as { headers: string }).headers));
    subscribe("undici:client:sendHeaders", keep);
    const error = new Unproven("keeps a key that was meant for one request");
    expect(await outcome(vendor((egress) => ask(egress), { connect }))).toEqual(error);
    unsubscribe("undici:client:sendHeaders", keep);
  });
});

it("a client that sends as it should is proven, and shows no placeholder at all if it likes", async () => {
  expect(await outcome(vendor((egress) => ask(egress)))).toBeUndefined();
  expect(
    await outcome(vendor((egress) => ask(egress, { authorization: `Bearer ${egress.placeholder}` }))),
  ).toBeUndefined();
});

it("an SDK is proven once in a process, for every resolver and every catalogue", async () => {
  let runs = 0;
  const provider = vendor(async (egress) => {
    runs += 1;
    await ask(egress);
  });
  await Promise.all([new SdkLoader().load(provider), new SdkLoader().load({ ...provider, models: [] })]);
  await new SdkLoader().load(provider);
  expect(runs).toBe(1);
});

it("a proof that could not be made, as where no file handle is left, is made by the next call", async () => {
  const provider = vendor((egress) => ask(egress));
  const unknown = { ...provider, canary: { ...provider.canary, sdk: "no-such-package-of-vendor" } as Canary };
  const listen = vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server) {
    queueMicrotask(() => this.emit("error", Object.assign(new Error("listen"), { code: "EMFILE" })));
    return this;
  });
  await expect(new SdkLoader().load(unknown)).rejects.toMatchObject({ code: "sdk_unsupported" });
  listen.mockRestore();
  await expect(new SdkLoader().load(unknown)).resolves.toBeUndefined();
});

it("an SDK that was taken without a proof is taken once in a process", async () => {
  const provider = vendor((egress) => ask(egress));
  const listen = vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server) {
    queueMicrotask(() => this.emit("error", Object.assign(new Error("listen"), { code: "EPERM" })));
    return this;
  });
  for (let times = 0; times < 3; times += 1) await new SdkLoader().load(provider);
  expect(listen).toHaveBeenCalledTimes(1);
});

describe("where the process may not ask itself on loopback", () => {
  const proveWithout = async (canary: Partial<Canary>): Promise<unknown> => {
    vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server) {
      queueMicrotask(() => this.emit("error", Object.assign(new Error("listen"), { code: "EPERM" })));
      return this;
    });
    const provider = vendor((egress) => ask(egress));
    return await prove(provider, { ...provider.canary, ...canary }, undefined).catch((error: unknown) => error);
  };

  it("a version that is tested is taken, and the operator is told", async () => {
    const warning = new Promise((resolve) => process.once("warning", resolve));
    expect(await proveWithout({})).toBeUndefined();
    expect(await warning).toMatchObject({ name: "ByokitWarning", code: "BYOKIT_UNPROVEN" });
  });

  it.each([
    ["another", { versions: ">=9.0.0 <10" }],
    ["an unknown", { sdk: "no-such-package-of-vendor" }],
  ])("%s version is refused", async (_which, canary) => {
    expect(await proveWithout(canary)).toMatchObject({ code: "sdk_unsupported", provider: "vendor" });
  });

  it.each([
    ["8.0.0", true],
    ["8.23.1", true],
    ["7.9.9", false],
    ["9.0.0", false],
    ["8.0.0-beta.1", false],
  ])("%s is within >=8.0.0 <9: %s", (version, expected) => {
    expect(isWithin(version, ">=8.0.0 <9")).toBe(expected);
  });
});

it("the first version of `ws` that is asked for opens the sockets of a slot", async () => {
  await using server = await recordingServer();
  const supply = supplyOf(serving("key-of-a-customer", server.origin));
  const first = {
    supply,
    vendor: elevenlabs,
    placeholder: "none",
    requestTimeoutMs: 5_000,
    ws: await import("ws-8" as string),
  };
  const socket = new new SlotEgress(first).WebSocket("wss://api.elevenlabs.io/v1/text-to-speech/voice/stream-input");
  await new Promise((resolve) => socket.on("open", () => resolve(true)));
  socket.terminate();
  expect(server.arrived.map(({ headers }) => headers["xi-api-key"])).toEqual(["key-of-a-customer"]);
});

it("the ranges that the canaries name are those that the package asks for", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly peerDependencies: Record<string, string>;
  };
  for (const { canary } of builtinProviders) {
    expect(manifest.peerDependencies[canary?.sdk ?? ""]).toBe(canary?.versions);
  }
});
