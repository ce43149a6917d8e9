import { describe, expect, it } from "vitest";
import { createKeyManager } from "../../src/manager/create-key-manager.ts";
import { generateKeyring } from "../../src/vault/keyring-json.ts";
import { createKeyring } from "../../src/vault/local-keyring.ts";
import { memoryStore } from "../../src/vault/memory-store.ts";
import { caught } from "../support/caught.ts";
import { unsteadyStore } from "../support/unsteady-store.ts";

const nothing = {
  deepgram_secret_id: null,
  openai_secret_id: null,
  elevenlabs_secret_id: null,
  xai_secret_id: null,
  resend_secret_id: null,
};
const managed = async (options: { readonly deadlineMs?: number; readonly leaseMs?: number } = {}) => {
  const store = unsteadyStore(memoryStore());
  await store.migrate();
  const keyring = createKeyring(generateKeyring("kek-1"));
  return { store, keyring, manager: createKeyManager({ store, keyring, verify: "off", ...options }) };
};

describe("an organisation's keys", () => {
  it("are listed for every provider, null where there is none", async () => {
    const { manager } = await managed();
    expect(await manager.list("org")).toEqual(nothing);
    const { byokKeys } = await manager.set("org", { provider: "openai", apiKey: "own-key" });
    expect(byokKeys).toEqual({ ...nothing, openai_secret_id: expect.stringMatching(/^[\da-f-]{36}$/u) });
    expect(await manager.list("org")).toEqual(byokKeys);
    expect(await manager.list("other")).toEqual(nothing);
  });

  it("are stored trimmed and sealed, under a new secret id with every replacement", async () => {
    const { manager, store, keyring } = await managed();
    const first = await manager.set("org", { provider: "openai", apiKey: " own-key-1\n" });
    const second = await manager.set("org", { provider: "openai", apiKey: "own-key-2" });
    expect([first.seq, second.seq]).toEqual([1, 2]);
    expect(second.byokKeys.openai_secret_id).not.toBe(first.byokKeys.openai_secret_id);
    const [snapshot] = await store.snapshots(["org"]);
    const [stored, ...others] = snapshot?.keys ?? [];
    expect(others).toEqual([]);
    expect(stored?.sealed).not.toContain("own-key");
    const context = { orgId: "org", provider: "openai", secretId: stored?.secretId ?? "", region: null };
    expect((await keyring.open(stored?.sealed ?? "", context)).reveal()).toBe("own-key-2");
  });

  it("are removed, and removing again succeeds and changes nothing", async () => {
    const { manager } = await managed();
    await manager.set("org", { provider: "openai", apiKey: "own-key" });
    const removed = await manager.remove("org", "openai");
    expect([removed.seq, removed.byokKeys]).toEqual([2, nothing]);
    expect(await manager.remove("org", "openai")).toEqual(removed);
  });

  it("are described without the key: a hint of long ones, region, kid, when and by whom", async () => {
    const { manager } = await managed();
    await manager.set("org", { provider: "openai", apiKey: "a-key-of-twenty-and-abcd", region: "eu", actor: "ann" });
    await manager.set("org", { provider: "deepgram", apiKey: "short-key" });
    const [deepgram, openai, ...others] = await manager.describe("org");
    expect(others).toEqual([]);
    expect(deepgram).toMatchObject({ provider: "deepgram", hint: null, region: null, createdBy: null });
    expect(openai).toMatchObject({ provider: "openai", hint: "abcd", region: "eu", kid: "kek-1", createdBy: "ann" });
    expect(openai?.createdAt).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/u);
    expect(JSON.stringify([deepgram, openai])).not.toMatch(/short-key|twenty/u);
  });
});

describe("a change", () => {
  it("says when no worker hands out the key of before", async () => {
    const { manager } = await managed({ leaseMs: 4_000 });
    const change = await manager.set("org", { provider: "openai", apiKey: "own-key" });
    expect(change).toMatchObject({ verification: "skipped", published: false, effectiveWithinMs: 4_000 });
  });

  it.each([
    ["an unknown provider", { provider: "nobody", apiKey: "own-key" }, "provider_unknown", /deepgram, openai/u],
    [
      "a region that the provider lacks",
      { provider: "openai", apiKey: "own-key", region: "mars" },
      "region_unknown",
      /eu/u,
    ],
    [
      "a region of a provider without any",
      { provider: "xai", apiKey: "own-key", region: "eu" },
      "region_unknown",
      /none/u,
    ],
    [
      "an inherited name as region",
      { provider: "openai", apiKey: "own-key", region: "toString" },
      "region_unknown",
      /eu/u,
    ],
    ["another provider's key", { provider: "openai", apiKey: "xai-wrong-field" }, "key_malformed", /"xai"/u],
    ["an empty key", { provider: "openai", apiKey: " " }, "key_malformed", /empty/u],
  ])("with %s is refused before anything is stored", async (_name, key, code, message) => {
    const { manager, store } = await managed();
    const error = await caught(manager.set("org", key));
    expect(error).toMatchObject({ code, orgId: "org", retryable: false });
    expect(error.message).toMatch(message);
    if (key.apiKey.trim() !== "") expect(error.message).not.toContain(key.apiKey);
    expect(await store.snapshots(["org"])).toMatchObject([{ snap: 0, keys: [] }]);
  });

  it.each(["", "a\u0000b", 7])("for the organisation %j is org_invalid", async (orgId) => {
    const { manager } = await managed();
    const calls = [
      manager.set(orgId as string, { provider: "openai", apiKey: "own-key" }),
      manager.remove(orgId as string, "openai"),
      manager.list(orgId as string),
      manager.describe(orgId as string),
    ];
    for (const call of calls) expect((await caught(call)).code).toBe("org_invalid");
  });

  it("ends by its deadline, and says that nobody knows whether it is stored", async () => {
    const { manager, store } = await managed({ deadlineMs: 50 });
    const release = store.hold();
    const error = await caught(manager.set("org", { provider: "openai", apiKey: "own-key" }));
    expect(error).toMatchObject({ code: "deadline_exceeded", retryable: true, orgId: "org" });
    expect(error.message).toContain("may or may not");
    release();
  });

  it("without a database is store_unavailable", async () => {
    const { manager, store } = await managed();
    store.isDown = true;
    const error = await caught(manager.set("org", { provider: "openai", apiKey: "own-key" }));
    expect(error).toMatchObject({ code: "store_unavailable", retryable: true });
  });
});

it.each([
  { deadlineMs: 0 },
  { deadlineMs: Number.NaN },
  { leaseMs: -1 },
  { leaseMs: 2 ** 31 },
])("a manager with %j is options_invalid", (options) => {
  const required = { store: memoryStore(), keyring: createKeyring(generateKeyring()) };
  expect(() => createKeyManager({ ...required, ...options })).toThrow(
    expect.objectContaining({ code: "options_invalid" }),
  );
});
