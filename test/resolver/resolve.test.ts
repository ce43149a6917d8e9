import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { Secret } from "../../src/secret.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { caught } from "../support/caught.ts";
import { idleCache } from "../support/idle-cache.ts";
import { settle } from "../support/manual-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platform } from "../support/worker.ts";

describe("an agent's slots", () => {
  it("run on the organisation's key where it has one and on the platform's where it has not, and say which", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const call = await here.resolver.resolve("org", agent);
    expect(call.llm).toMatchObject({ source: "byok", reason: "configured", model: "ada-1", stale: false });
    expect(call.stt).toMatchObject({ source: "platform", reason: "absent", secretId: null });
    expect([call.llm.credential.key.reveal(), call.stt.credential.key.reveal()]).toEqual(["own-ada", "platform-bob"]);
    expect(call.llm.credential.key.reveal()).toBe("own-ada");
  });

  it("never run on another organisation's key", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    for (const org of ["a", "a:b", "b"]) await manager.set(org, { provider: "ada", apiKey: `key-of-${org}` });
    for (const org of ["b", "a:b", "a"]) {
      expect((await here.resolver.resolve(org, agent)).llm.credential.key.reveal()).toBe(`key-of-${org}`);
    }
  });

  it("have a client each, built when it is first asked for and once", async () => {
    const { worker } = await platform();
    await using here = worker();
    const call = await here.resolver.resolve("org", {
      llm_config: { provider: "ada" },
      tts_config: { provider: "ada" },
    });
    expect(call.llm.client).toBe(call.llm.client);
    expect(call.llm.client).not.toBe(call.tts.client);
    expect(call.llm.placeholder).not.toBe(call.tts.placeholder);
  });

  it("come from one read of the database", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.resolve("org", agent);
    await here.resolver.resolve("org", agent);
    expect(here.link.sent.snapshots).toBe(1);
  });

  it("talk to the region that the key is stored with", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ endpoints: { ada: "https://proxy.example" } });
    await manager.set("org", { provider: "ada", apiKey: "own-ada", region: "eu" });
    const call = await here.resolver.resolve("org", agent);
    expect(call.llm).toMatchObject({ region: "eu", credential: { baseUrl: "https://eu.ada.example" } });
    const other = await here.resolver.resolve("none", agent);
    expect(other.llm.credential.baseUrl).toBe("https://proxy.example");
  });

  it("show no key when they are inspected or serialised", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "planted-key-of-ada" });
    const call = await here.resolver.resolve("org", agent);
    const shown = inspect([call, here.resolver], { depth: Number.POSITIVE_INFINITY, showHidden: true });
    expect(shown).not.toContain("planted-key");
    expect(JSON.stringify(call.llm.credential)).not.toContain("planted-key");
  });
});

describe("a call that cannot be served", () => {
  it("lists every slot that failed, the first one's code in front", async () => {
    const { worker } = await platform();
    await using here = worker();
    const error = await caught(
      here.resolver.resolve("org", {
        llm_config: { provider: "cleo" },
        stt_config: { provider: "nobody" as string },
        tts_config: { provider: "ada" },
      }),
    );
    expect(error.failures?.map(({ slot, code }) => [slot, code])).toEqual([
      ["llm", "key_not_configured"],
      ["stt", "provider_unknown"],
    ]);
    expect(error).toMatchObject({ code: "key_not_configured", orgId: "org", provider: "cleo", retryable: false });
  });

  it.each([
    ["names no slot", { name: "x" }],
    ["is no object", null],
    ["has a slot of another shape", { llm_config: { provider: 3 } }],
  ])("because the agent %s is agent_invalid", async (_name, wrong) => {
    const { worker } = await platform();
    await using here = worker();
    expect((await caught(here.resolver.resolve("org", wrong as object))).code).toBe("agent_invalid");
  });

  it.each(["", "a\u0000b", "\ud800", "x".repeat(256)])("for the organisation %j is org_invalid", async (orgId) => {
    const { worker } = await platform();
    await using here = worker();
    expect((await caught(here.resolver.resolve(orgId, agent))).code).toBe("org_invalid");
  });

  it("because its key does not open falls back to nobody's key", async () => {
    const { manager, store, worker } = await platform();
    await using here = worker();
    await manager.set("a", { provider: "ada", apiKey: "key-of-a" });
    await manager.set("b", { provider: "ada", apiKey: "key-of-b" });
    const [snapshot] = await store.snapshots(["b"]);
    const [stolen] = snapshot?.keys ?? [];
    if (stolen === undefined) throw new Error("Nothing is stored.");
    await store.put({
      ...stolen,
      orgId: "a",
      hint: null,
      actor: null,
      verdict: "skipped",
      place: null,
      name: "default",
    });
    const error = await caught(here.resolver.resolve("a", agent));
    expect(error.failures).toMatchObject([{ code: "key_undecryptable", slot: "llm" }]);
    expect(here.events).toContainEqual(expect.objectContaining({ type: "key_unusable", reason: "undecryptable" }));
  });

  it.each([
    "",
    "bad\nkey",
    "b\u0000d",
    "k\u00e9y",
    "x".repeat(513),
  ])("because its key opens to %j, which no client can send, says so before a client is built", async (text) => {
    const { store, keyring, worker } = await platform();
    await using here = worker();
    const context = { orgId: "a", provider: "ada", secretId: "s1", region: null, account: null };
    const sealed = await keyring.seal(new Secret(text), context);
    await store.put({
      ...context,
      ...sealed,
      hint: null,
      actor: null,
      verdict: "skipped",
      place: null,
      name: "default",
    });
    const error = await caught(here.resolver.resolve("a", agent));
    expect(error.failures).toMatchObject([{ code: "key_undecryptable", slot: "llm" }]);
    if (text !== "") expect(error.message).not.toContain(text);
  });

  it("because its key is sealed under a newer keyring says so, and each resolve tries again", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ keyring: createKeyring(generateKeyring("kek-0")) });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    expect((await caught(here.resolver.resolve("org", agent))).code).toBe("keyring_outdated");
    expect((await caught(here.resolver.resolve("org", agent))).code).toBe("keyring_outdated");
  });

  it("because the key service was away for a moment is put on nobody's key, and served as soon as it is back, without another read", async () => {
    const { manager, keyring, worker } = await platform();
    let isAway = true;
    const service: Keyring = {
      seal: keyring.seal,
      open: async (sealed, context) =>
        isAway ? Promise.reject(new Error("away")) : await keyring.open(sealed, context),
    };
    await using here = worker({ keyring: service });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const error = await caught(here.resolver.resolve("org", agent));
    expect(error).toMatchObject({ code: "keyring_unavailable", retryable: true });
    expect(error.message).not.toContain("enter");
    isAway = false;
    expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("own-ada");
    expect(here.link.sent.snapshots).toBe(1);
  });

  it("because the key service was away is served once it is back, though memory forgets what is being opened", async () => {
    const { manager, keyring, worker } = await platform();
    const entries = new Map<string, Uint8Array>();
    const cache = idleCache({
      get: async (orgId) => entries.get(orgId),
      set: async (orgId, entry) => void entries.set(orgId, entry),
    });
    let answer: () => Promise<void> = () => Promise.reject(new Error("away"));
    const service: Keyring = {
      ...keyring,
      open: async (sealed, context) => {
        if (context.orgId === "org") await answer();
        return await keyring.open(sealed, context);
      },
    };
    await using here = worker({ keyring: service, cache, maxOrgs: 1 });
    for (const orgId of ["org", "other"]) await manager.set(orgId, { provider: "ada", apiKey: `own-ada-of-${orgId}` });
    expect((await caught(here.resolver.resolve("org", agent))).code).toBe("keyring_unavailable");
    await waitFor(() => expect(entries.has("org")).toBe(true));
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = () => promise;
    const opening = here.resolver.resolve("org", agent);
    await settle();
    await here.resolver.resolve("other", agent);
    answer = async () => {};
    resolve();
    expect((await opening).llm.credential.key.reveal()).toBe("own-ada-of-org");
  });

  it("because a provider cannot fill the slot is agent_invalid, and no realtime socket is opened elsewhere", async () => {
    const { worker } = await platform();
    await using here = worker();
    const error = await caught(here.resolver.resolve("org", { realtime_config: { provider: "ada" } }));
    expect(error).toMatchObject({ code: "agent_invalid", provider: "ada", slot: "realtime" });
    expect(error.message).toContain("llm, stt, tts");
    const { llm } = await here.resolver.resolve("org", agent);
    expect((await caught((llm as unknown as { connect(): Promise<unknown> }).connect())).code).toBe("agent_invalid");
  });

  it("because a key was pasted where the provider stands does not repeat it", async () => {
    const { worker } = await platform();
    await using here = worker();
    const error = await caught(here.resolver.resolve("org", { llm_config: { provider: "sk-pasted-0123" } }));
    expect(error).toMatchObject({ code: "provider_unknown", provider: "?" });
    expect(inspect(error, { depth: 9 })).not.toContain("pasted");
  });

  it("outside an agent names no slot, repeats no text, and lists the ids that there are", async () => {
    const { worker } = await platform();
    await using here = worker();
    const error = await caught(here.resolver.client("org", "sk-pasted-0123" as "ada"));
    expect(error).toMatchObject({ code: "provider_unknown", orgId: "org" });
    expect(error.message).toContain("Use one of: ada, bob, cleo.");
    expect("slot" in error).toBe(false);
    expect(inspect(error, { depth: 9 })).not.toContain("pasted");
  });

  it("because the store mixes organisations up gets nobody's key", async () => {
    const { manager, store, worker } = await platform();
    for (const org of ["a", "b"]) await manager.set(org, { provider: "ada", apiKey: `key-of-${org}` });
    const mixed: KeyStore = { ...store, snapshots: async (ids) => (await store.snapshots([...ids, "b"])).toReversed() };
    await using here = worker({ store: mixed });
    expect((await caught(here.resolver.resolve("a", agent))).code).toBe("store_unavailable");
  });

  it("runs on the platform's key only for the failure that the operator chose, and is counted", async () => {
    const { manager, worker } = await platform();
    await using here = worker({
      keyring: createKeyring(generateKeyring("kek-0")),
      fallback: { keyring_outdated: "platform" },
    });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const call = await here.resolver.resolve("org", agent);
    expect(call.llm).toMatchObject({ source: "platform", reason: "keyring_outdated" });
    expect(call.llm.credential.key.reveal()).toBe("platform-ada");
    expect(here.events).toContainEqual(expect.objectContaining({ type: "fallback", failure: "keyring_outdated" }));
  });

  it("fails where the operator allows no platform key", async () => {
    const { worker } = await platform();
    await using here = worker({ fallback: ({ provider }) => (provider === "ada" ? "fail" : undefined) });
    const error = await caught(here.resolver.resolve("org", agent));
    expect(error.failures?.map(({ slot }) => slot)).toEqual(["llm"]);
  });
});
