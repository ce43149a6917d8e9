import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { createKeyManager, createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManagerOptions, ManagerEvent } from "../../src/manager/manager-settings.ts";
import { openai } from "../../src/providers/openai.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { Secret } from "../../src/secret.ts";
import type { ChangeNotice } from "../../src/shared-cache/key-cache.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import { caught } from "../support/caught.ts";
import { idleCache } from "../support/idle-cache.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { unsteadyStore } from "../support/unsteady-store.ts";
import { waitFor } from "../support/wait-for.ts";

const nothing = {
  deepgram_secret_id: null,
  openai_secret_id: null,
  elevenlabs_secret_id: null,
  xai_secret_id: null,
  resend_secret_id: null,
};
const managed = async (options: Pick<KeyManagerOptions, "leaseMs" | "onEvent"> & { readonly clock?: Clock } = {}) => {
  const store = unsteadyStore(memoryStore());
  await store.migrate();
  const keyring = createKeyring(generateKeyring("kek-1"));
  const { clock = systemClock, ...rest } = options;
  const settings = { store, keyring, verify: "off", deadlineMs: 5_000, ...rest } as const;
  return { store, keyring, manager: createKeyManagerOn(clock, settings) };
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
    const context = { orgId: "org", provider: "openai", secretId: stored?.secretId ?? "", region: null, account: null };
    expect((await keyring.open(stored?.sealed ?? "", context)).reveal()).toBe("own-key-2");
  });

  it("are removed, and removing again succeeds and changes nothing", async () => {
    const { manager } = await managed();
    await manager.set("org", { provider: "openai", apiKey: "own-key" });
    const removed = await manager.remove("org", { provider: "openai" });
    expect([removed.seq, removed.byokKeys]).toEqual([2, nothing]);
    expect(await manager.remove("org", { provider: "openai" })).toEqual(removed);
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

describe("a key's status", () => {
  const statusOf = async ({ manager }: Awaited<ReturnType<typeof managed>>) =>
    (await manager.describe("org"))[0]?.status;

  it.each([
    ["passed", "ok"],
    ["restricted", "restricted"],
    ["invalid", "rejected"],
    ["unreachable", "unchecked"],
    ["skipped", "unchecked"],
    ["invalid", "rejected"],
    ["exhausted", "exhausted"],
  ] as const)("after %s is %s", async (verdict, status) => {
    const here = await managed();
    const context = { orgId: "org", provider: "openai", secretId: "s1", region: null, account: null };
    const sealed = await here.keyring.seal(new Secret("own-key"), context);
    await here.store.put({ ...context, ...sealed, hint: null, actor: null, verdict, place: null, name: "default" });
    expect(await statusOf(here)).toBe(status);
  });

  it("is needs_reentry where it does not open, but not for what only this keyring lacks; other keys are listed beside it", async () => {
    const events: ManagerEvent[] = [];
    const here = await managed({ onEvent: (event) => events.push(event) });
    await here.manager.set("org", { provider: "deepgram", apiKey: "own-key" });
    for (const provider of ["openai", "xai"]) {
      const context = { orgId: "org", provider, secretId: `s-${provider}`, region: null, account: null };
      const other = createKeyring(generateKeyring(provider === "xai" ? "kek-9" : "kek-1"));
      const sealed = await other.seal(new Secret("own-key"), context);
      await here.store.put({
        ...context,
        ...sealed,
        hint: null,
        actor: null,
        verdict: "passed",
        place: null,
        name: "default",
      });
    }
    const described = await here.manager.describe("org");
    expect(described.map(({ provider, status, unopened }) => [provider, status, unopened])).toEqual([
      ["deepgram", "unchecked", null],
      ["openai", "needs_reentry", "undecryptable"],
      ["xai", "ok", "keyring_outdated"],
    ]);
    const about = { type: "key_unusable", orgId: "org" };
    expect(events).toEqual([
      { ...about, provider: "openai", secretId: "s-openai", reason: "undecryptable" },
      { ...about, provider: "xai", secretId: "s-xai", reason: "keyring_outdated" },
    ]);
    expect((await caught(here.manager.verify("org", "xai"))).code).toBe("keyring_outdated");
    expect(events).toHaveLength(3);
  });
});

describe("a keyring that is a key service", () => {
  const servedBy = async (open: Keyring["open"]) => {
    const { store, keyring } = await managed();
    const manager = createKeyManager({ store, keyring, verify: "off" });
    await manager.set("org", { provider: "openai", apiKey: "own-key" });
    await manager.set("org", { provider: "deepgram", apiKey: "own-key" });
    return createKeyManager({ store, keyring: { ...keyring, open }, verify: "off", deadlineMs: 2_000 });
  };

  it("that does not answer for one key spoils no list", async () => {
    const manager = await servedBy((_sealed, { provider }) =>
      provider === "openai" ? new Promise<never>(() => {}) : new Secret("own-key"),
    );
    expect((await manager.describe("org")).map(({ status }) => status)).toEqual(["unchecked", "unchecked"]);
  });

  it("that is down is an outage, and nothing is said of its error", async () => {
    const manager = await servedBy(() => Promise.reject(new Error("own-key is not available")));
    const error = await caught(manager.verify("org", "openai"));
    expect(error).toMatchObject({ code: "keyring_unavailable", retryable: true, orgId: "org" });
    expect(error.message).not.toContain("own-key");
    expect((await manager.describe("org")).map(({ status }) => status)).toEqual(["unchecked", "unchecked"]);
  });
});

describe("the audit trail", () => {
  it("tells who did what and when, in pages, the newest first", async () => {
    const { manager } = await managed();
    await manager.set("org", { provider: "openai", apiKey: "a-key-of-twenty-and-abcd", actor: "ann" });
    await manager.set("org", { provider: "openai", apiKey: "a-key-of-twenty-and-efgh", actor: "bob" });
    await manager.remove("org", { provider: "openai" });
    const first = await manager.audit("org", { limit: 2 });
    expect(first.entries).toMatchObject([
      { seq: 3, action: "removed", actor: null, hint: "efgh", secretId: null },
      { seq: 2, action: "replaced", actor: "bob", hint: "efgh", verdict: "skipped" },
    ]);
    expect(first.next).toBe(2);
    const second = await manager.audit("org", { limit: 2, before: 2 });
    expect(second).toMatchObject({ entries: [{ seq: 1, action: "added", actor: "ann", hint: "abcd" }], next: null });
    expect(second.entries[0]?.at).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/u);
    expect(await manager.audit("other")).toEqual({ entries: [], next: null });
    for (const page of [{ limit: 0 }, { before: 0 }, { limit: 1.5 }]) {
      expect((await caught(manager.audit("org", page))).code).toBe("options_invalid");
    }
  });

  it("is read at most 200 entries at once", async () => {
    const { manager } = await managed();
    for (let change = 0; change < 201; change += 1) await manager.set("org", { provider: "openai", apiKey: "own-key" });
    expect(await manager.audit("org", { limit: 1_000 })).toMatchObject({ entries: { length: 200 }, next: 2 });
  });
});

describe("a change", () => {
  it("says when no worker hands out the previous key", async () => {
    const { manager } = await managed({ leaseMs: 4_000 });
    const change = await manager.set("org", { provider: "openai", apiKey: "own-key" });
    expect(change).toMatchObject({ verdict: "skipped", published: false, effectiveWithinMs: 4_000 });
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
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
  });

  it.each(["", "a\u0000b", 7])("for the organisation %j is org_invalid", async (orgId) => {
    const { manager } = await managed();
    const calls = [
      manager.set(orgId as string, { provider: "openai", apiKey: "own-key" }),
      manager.remove(orgId as string, { provider: "openai" }),
      manager.list(orgId as string),
      manager.describe(orgId as string),
    ];
    for (const call of calls) expect((await caught(call)).code).toBe("org_invalid");
  });

  it("ends by its deadline, and says that nobody knows whether it is stored", async () => {
    const clock = new ManualClock();
    const { manager, store } = await managed({ clock });
    const release = store.hold();
    const failed = caught(manager.set("org", { provider: "openai", apiKey: "own-key", region: null, account: null }));
    await waitFor(() => expect(store.sent.puts).toBe(1));
    await clock.advance(5_000);
    const error = await failed;
    expect(error).toMatchObject({ code: "deadline_exceeded", retryable: true, orgId: "org" });
    expect(error.message).toContain("may or may not");
    release();
  });

  it("ends by its deadline with the key check in it", async () => {
    const clock = new ManualClock();
    const store = unsteadyStore(memoryStore());
    await store.migrate();
    const silent: Provider = { ...openai, check: () => new Promise<never>(() => {}) };
    const keyring = createKeyring(generateKeyring());
    const manager = createKeyManagerOn(clock, { store, keyring, providers: [silent], deadlineMs: 1_000 });
    store.hold();
    const failed = caught(manager.set("org", { provider: "openai", apiKey: "own-key" }));
    await clock.advance(1_000);
    expect(await failed).toMatchObject({ code: "deadline_exceeded" });
  });

  it("that is committed after its caller gave up is published all the same", async () => {
    const store = unsteadyStore(memoryStore());
    await store.migrate();
    const notices: ChangeNotice[] = [];
    const cache = idleCache({ invalidate: async (notice) => void notices.push(notice) });
    const keyring = createKeyring(generateKeyring());
    const clock = new ManualClock();
    const manager = createKeyManagerOn(clock, { store, keyring, cache, verify: "off", deadlineMs: 1_000 });
    const release = store.hold();
    const givenUp = caught(manager.set("org", { provider: "openai", apiKey: "own-key", region: null, account: null }));
    await waitFor(() => expect(store.sent.puts).toBe(1));
    await clock.advance(1_000);
    await givenUp;
    release();
    await waitFor(() => expect(notices).toEqual([{ orgId: "org", seq: 1 }]));
  });

  it.each(["", "a\u0000b", "x".repeat(256)])("by the actor %j is options_invalid", async (actor) => {
    const { manager } = await managed();
    const key = { provider: "openai", apiKey: "own-key", actor };
    expect((await caught(manager.set("org", key))).code).toBe("options_invalid");
    expect((await caught(manager.remove("org", { provider: "openai", actor }))).code).toBe("options_invalid");
  });

  it("without a database is store_unavailable", async () => {
    const { manager, store } = await managed();
    store.isDown = true;
    const error = await caught(manager.set("org", { provider: "openai", apiKey: "own-key" }));
    expect(error).toMatchObject({ code: "store_unavailable", retryable: true });
  });
});

it.each([
  { verify: "on" as "off" },
  { verify: true as unknown as "off" },
  { deadlineMs: 0 },
  { deadlineMs: Number.NaN },
  { leaseMs: -1 },
  { leaseMs: 2 ** 31 },
  { checkLimits: { perMinute: 0 } },
  { checkLimits: { perMinute: Number.POSITIVE_INFINITY } },
  { checkLimits: { atOnce: 0 } },
  { checkLimits: { atOnce: 1.5 } },
])("a manager with %j is options_invalid", (options) => {
  const required = { store: memoryStore(), keyring: createKeyring(generateKeyring()) };
  expect(() => createKeyManager({ ...required, ...options })).toThrow(
    expect.objectContaining({ code: "options_invalid" }),
  );
});
