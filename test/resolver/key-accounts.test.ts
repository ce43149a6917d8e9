import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type {
  BuiltinProvider,
  Clients,
  KeyManager,
  Keyring,
  KeyStore,
  Resolver,
  ResolverOptions,
} from "../../src/index.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  defineProvider,
  generateKeyring,
  memoryStore,
  openai,
  type Provider,
  withCatalogue,
  xai,
} from "../../src/index.ts";
import { caught } from "../support/caught.ts";
import { type RecordingServer, recordingServer } from "../support/recording-server.ts";
import { waitFor } from "../support/wait-for.ts";

const account = { organization: "org-of-the-customer", project: "proj_of-the-customer" };
const apiKey = "customer-key-0123456789";
const leak = "PLATFORM-LEAK";
let server: RecordingServer;
let store: KeyStore;
let keyring: Keyring;
let manager: KeyManager;

const open = (options: Partial<ResolverOptions<BuiltinProvider, Clients>> = {}): Resolver =>
  createResolver({
    store,
    keyring,
    endpoints: { openai: `${server.origin}/v1`, xai: `${server.origin}/v1` },
    ...options,
  });
const shown = (): unknown[] =>
  server.arrived.map(({ headers }) => [headers["openai-organization"], headers["openai-project"]]);
const ofTheCustomer = [account.organization, account.project];

beforeEach(async () => {
  vi.stubEnv("OPENAI_ORG_ID", `org-${leak}`);
  vi.stubEnv("OPENAI_PROJECT_ID", `proj_${leak}`);
  vi.stubEnv("OPENAI_CUSTOM_HEADERS", `OpenAI-Organization: org-${leak}\nOpenAI-Project: proj_${leak}`);
  server = await recordingServer();
  store = memoryStore();
  await store.migrate();
  keyring = createKeyring(generateKeyring());
  manager = createKeyManager({ store, keyring, verify: "off" });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Every way out of a slot, each with headers of the platform's where it takes any. */
async function sendEveryWay(resolver: Resolver, provider: "openai" | "xai"): Promise<void> {
  const { llm, realtime } = await resolver.resolve("org", {
    llm_config: { provider },
    realtime_config: { provider, model: "voice-1" },
  });
  const headers = { "OpenAI-Organization": `org-${leak}`, "openai-project": `proj_${leak}` };
  await llm.client.models.list();
  await llm.client.models.list({ headers });
  await llm.fetch(`${server.origin}/v1/models`, { headers });
  await new Promise((resolve, reject) => {
    const sent = request(`${server.origin}/v1/models`, { agent: llm.agent, headers }, (response) => {
      response.resume().on("end", resolve);
    });
    sent.on("error", reject).end();
  });
  const socket = new realtime.WebSocket(`${server.origin.replace("http", "ws")}/v1/realtime`, { headers });
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  socket.close();
  const connected = await realtime.connect();
  connected.close();
  expect(server.arrived).toHaveLength(6);
  expect(JSON.stringify(server.arrived)).not.toContain(leak);
}

describe("an account that a key is stored with", () => {
  it("arrives with the key by every way out, and nobody else's does", async () => {
    await manager.set("org", { provider: "openai", apiKey, account });
    await using resolver = open();
    await sendEveryWay(resolver, "openai");
    expect(shown()).toEqual(Array.from({ length: 6 }, () => ofTheCustomer));
    expect(new Set(server.arrived.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${apiKey}`]));
  });

  it.each(["openai", "xai"] as const)("does not arrive at %s where there is none", async (provider) => {
    await manager.set("org", { provider, apiKey });
    await using resolver = open();
    await sendEveryWay(resolver, provider);
    expect(shown()).toEqual(Array.from({ length: 6 }, () => [undefined, undefined]));
  });

  it("arrives in part where it is named in part", async () => {
    await manager.set("org", { provider: "openai", apiKey, account: { organization: "org-1" } });
    await manager.set("other", { provider: "openai", apiKey, account: { project: "proj_1", organization: null } });
    await using resolver = open();
    for (const org of ["org", "other"]) await (await resolver.client(org, "openai")).client.models.list();
    expect(shown()).toEqual([
      ["org-1", undefined],
      [undefined, "proj_1"],
    ]);
  });

  it("is no platform key's, not even in its place", async () => {
    await manager.set("org", { provider: "openai", apiKey, account });
    await using resolver = open({ platformKeys: { openai: "key-of-the-platform" } });
    const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
    const { seq } = await manager.remove("org", { provider: "openai" });
    await resolver.resolve("org", { llm_config: { provider: "openai" } }, { atLeast: seq });
    await llm.client.models.list();
    expect(shown()).toEqual([[undefined, undefined]]);
  });

  it("is the one that serves now in a slot that a call holds, and its change is told", async () => {
    await manager.set("org", { provider: "openai", apiKey, account });
    await using resolver = open();
    const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
    const { signal } = llm;
    await llm.client.models.list();
    const { seq } = await manager.set("org", { provider: "openai", apiKey, account: { organization: "org-2" } });
    await resolver.resolve("org", { llm_config: { provider: "openai" } }, { atLeast: seq });
    await llm.client.models.list();
    expect(shown()).toEqual([ofTheCustomer, ["org-2", undefined]]);
    await waitFor(() => expect(signal.aborted).toBe(true));
  });

  it("is shown by the slot's credential, for a caller that takes that", async () => {
    await manager.set("org", { provider: "openai", apiKey, account });
    await using resolver = open();
    const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
    expect(llm.credential.account).toEqual(account);
    // Calls share it: what one writes there, another's requests would show.
    expect([llm.credential, llm.credential.account].every(Object.isFrozen)).toBe(true);
  });

  it("that a worker's provider does not take fails the slot: no key works for somebody else's account", async () => {
    await manager.set("org", { provider: "openai", apiKey, account });
    const older = { ...withCatalogue(openai, {}), accountHeaders: { organization: "openai-organization" } };
    const platformKeys = { openai: "key-of-the-platform" };
    await using resolver = createResolver({ store, keyring, providers: [older], platformKeys });
    const error = await caught(resolver.resolve("org", { llm_config: { provider: "openai" } }));
    expect(error).toMatchObject({ code: "account_unsupported", retryable: false, failures: [{ slot: "llm" }] });
  });

  it("that no header can hold does not open, whatever its keyring says of it", async () => {
    const { secretId } = (await manager.setMany([{ orgId: "org", provider: "openai", apiKey, account }]))[0] ?? {};
    const blind: Keyring = { ...keyring, open: (sealed, context) => keyring.open(sealed, { ...context, account }) };
    const [snapshot] = await store.snapshots(["org"]);
    const written = { organization: "org-1\r\nx-smuggled: 1", project: null };
    const keys = snapshot?.keys.map((key) => ({ ...key, account: written })) ?? [];
    const edited: KeyStore = {
      ...store,
      snapshots: async () => [{ ...snapshot, keys } as NonNullable<typeof snapshot>],
    };
    await using resolver = createResolver({ store: edited, keyring: blind, providers: [openai] });
    const error = await caught(resolver.resolve("org", { llm_config: { provider: "openai" } }));
    expect([error.code, secretId]).toEqual(["key_undecryptable", keys[0]?.secretId]);
  });
});

describe("the check of a key", () => {
  it("shows its account, and one that does not fit is refused in words that say so", async () => {
    server.answer = ({ headers }, response) => {
      const fits = headers["openai-organization"] === account.organization;
      const message = "OpenAI-Organization header should match organization for API key";
      const error = { message, type: "invalid_request_error", param: null, code: "mismatched_organization" };
      response.writeHead(fits ? 200 : 401, { "content-type": "application/json" });
      response.end(JSON.stringify(fits ? { data: [] } : { error }));
    };
    const checking = createKeyManager({ store, keyring, endpoints: { openai: `${server.origin}/v1` } });
    const refused = await caught(
      checking.set("org", { provider: "openai", apiKey, account: { organization: "org-of-somebody" } }),
    );
    expect(refused).toMatchObject({ code: "key_rejected", reason: "wrong_account" });
    expect(refused.message).toMatch(/does not work for that organization or project/u);
    expect(await checking.set("org", { provider: "openai", apiKey, account })).toMatchObject({
      verdict: "passed",
      account,
    });
    expect(await checking.verify("org", "openai")).toMatchObject({ verdict: "passed" });
    expect(shown()).toEqual([["org-of-somebody", undefined], ofTheCustomer, ofTheCustomer]);
  });
});

describe("a provider of one's own", () => {
  const ada = (more: Partial<Provider>): Provider =>
    defineProvider({
      ...xai,
      id: "ada",
      endpoint: { baseUrl: server.origin, websocketUrl: server.origin.replace("http", "ws") },
      headers: ["x-account-*", "x-project"],
      accountHeaders: { organization: "x-account-id" },
      ...more,
    } as Provider);

  it("says in which header, which no request brings itself", async () => {
    const provider = ada({});
    const own = createKeyManager({ store, keyring, providers: [provider], verify: "off" });
    await own.set("org", { provider: "ada", apiKey, account: { organization: "of-the-customer" } });
    await own.set("other", { provider: "ada", apiKey });
    await using resolver = createResolver({ store, keyring, providers: [provider], clients: false });
    const headers = { "X-Account-Id": leak, "x-account-kind": "kept" };
    for (const org of ["org", "other"]) {
      const { llm } = (await resolver.resolve(org, { llm_config: { provider: "ada" } })) as never as {
        readonly llm: { readonly fetch: typeof fetch };
      };
      await llm.fetch(`${server.origin}/v1/x`, { headers });
    }
    const arrived = server.arrived.map(({ headers }) => [headers["x-account-id"], headers["x-account-kind"]]);
    expect(arrived).toEqual([
      ["of-the-customer", "kept"],
      [undefined, "kept"],
    ]);
    const refused = await caught(own.set("org", { provider: "ada", apiKey, account: { project: "p" } }));
    expect(refused).toMatchObject({ code: "account_unsupported", message: expect.stringContaining("organization") });
  });

  it.each([
    { organisation: "x-organisation" },
    { organization: "X-Organization" },
    { organization: "x org" },
    { organization: "" },
    { project: undefined, user: "x-user" },
    "x-organization",
  ])("that declares %j is options_invalid", (accountHeaders) => {
    expect(() => ada({ accountHeaders: accountHeaders as never })).toThrow(
      expect.objectContaining({ code: "options_invalid" }),
    );
  });
});
