import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createKeyManager, createKeyring, generateKeyring, type KeyManager, memoryStore } from "../../src/index.ts";
import type { KeyManagerOptions } from "../../src/manager/manager-settings.ts";
import { defineProvider } from "../../src/providers/define-provider.ts";
import type { KeyCheck, Provider } from "../../src/providers/provider.ts";
import { Secret } from "../../src/secret.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { caught } from "../support/caught.ts";
import { unsteadyStore } from "../support/unsteady-store.ts";
import { waitFor } from "../support/wait-for.ts";

const keyring = createKeyring(generateKeyring());

/** A vendor whose checks are answered when the test says so. */
const slowVendor = (id = "vendor") => {
  const asked = new Map<string, PromiseWithResolvers<KeyCheck>>();
  const ended = new Set<string>();
  const endpoint = { baseUrl: "https://vendor.example", websocketUrl: "wss://vendor.example" };
  const provider: Provider = defineProvider({
    id,
    name: "Vendor",
    category: "llm",
    docsUrl: "https://vendor.example",
    serves: ["llm"],
    endpoint,
    regions: { eu: endpoint },
    models: [],
    connect: () => ({}),
    check({ key }, signal) {
      signal.addEventListener("abort", () => ended.add(key.reveal()));
      const answer = Promise.withResolvers<KeyCheck>();
      asked.set(key.reveal(), answer);
      return answer.promise;
    },
  });
  const answer = async (key: string, verdict: KeyCheck["verdict"] = "passed"): Promise<void> => {
    await waitFor(() => expect([...asked.keys()]).toContain(key));
    asked.get(key)?.resolve({ verdict });
    asked.delete(key);
  };
  return { provider, answer, isAsked: (key: string) => asked.has(key), isEnded: (key: string) => ended.has(key) };
};

const managed = async (options: Partial<KeyManagerOptions> = {}) => {
  const store = unsteadyStore(memoryStore());
  await store.migrate();
  const vendor = slowVendor();
  const providers = [vendor.provider, slowVendor("other_vendor").provider];
  const build = (): KeyManager => createKeyManager({ store, keyring, providers, deadlineMs: 20_000, ...options });
  return { store, vendor, build, manager: build() };
};

/** The key that an organisation has now; `undefined` where it has none. */
const storedKey = async (store: KeyStore): Promise<string | undefined> => {
  const [snapshot] = await store.snapshots(["org"]);
  const [key] = snapshot?.keys ?? [];
  if (key === undefined) return undefined;
  const { provider, secretId, region, account } = key;
  return (await keyring.open(key.sealed, { orgId: "org", provider, secretId, region, account })).reveal();
};

describe("a save whose check is slow", () => {
  it("is overtaken by a removal in the same process: it ends at once, and the removed key stays away", async () => {
    const { store, vendor, manager } = await managed();
    const saving = caught(manager.set("org", { provider: "vendor", apiKey: "leaked-key" }));
    await waitFor(() => expect(vendor.isAsked("leaked-key")).toBe(true));
    await manager.remove("org", { provider: "vendor" });
    expect(vendor.isEnded("leaked-key")).toBe(true);
    expect(await saving).toMatchObject({ code: "key_changed", retryable: false, orgId: "org", provider: "vendor" });
    await vendor.answer("leaked-key");
    expect(await storedKey(store)).toBeUndefined();
  });

  it("is overtaken by a removal in another process, also one that finds nothing", async () => {
    const { store, vendor, manager, build } = await managed();
    const saving = caught(manager.set("org", { provider: "vendor", apiKey: "leaked-key" }));
    await waitFor(() => expect(vendor.isAsked("leaked-key")).toBe(true));
    await build().remove("org", { provider: "vendor" });
    await vendor.answer("leaked-key");
    expect(await saving).toMatchObject({ code: "key_changed" });
    expect(await storedKey(store)).toBeUndefined();
  });

  it("is overtaken by a save in another process that was asked for later and is faster", async () => {
    const { store, vendor, manager, build } = await managed();
    const older = caught(manager.set("org", { provider: "vendor", apiKey: "older-key" }));
    await waitFor(() => expect(vendor.isAsked("older-key")).toBe(true));
    const newer = build().set("org", { provider: "vendor", apiKey: "newer-key" });
    await vendor.answer("newer-key");
    expect(await newer).toMatchObject({ seq: 1, verdict: "passed" });
    await vendor.answer("older-key");
    expect(await older).toMatchObject({ code: "key_changed" });
    expect(await storedKey(store)).toBe("newer-key");
  });

  it("stores nothing for a caller that went away", async () => {
    const { store, vendor, manager } = await managed();
    const gone = new AbortController();
    const saving = manager.set("org", { provider: "vendor", apiKey: "own-key", signal: gone.signal });
    const failed = expect(saving).rejects.toThrow("hung up");
    await waitFor(() => expect(vendor.isAsked("own-key")).toBe(true));
    gone.abort(new Error("hung up"));
    await failed;
    await vendor.answer("own-key");
    expect(await storedKey(store)).toBeUndefined();
  });

  it("is no change of another provider's or organisation's key", async () => {
    const { vendor, manager } = await managed();
    const saving = manager.set("org", { provider: "vendor", apiKey: "own-key" });
    await waitFor(() => expect(vendor.isAsked("own-key")).toBe(true));
    await manager.remove("other", { provider: "vendor" });
    await vendor.answer("own-key");
    expect(await saving).toMatchObject({ verdict: "passed" });
  });
});

describe("a rotation", () => {
  it("that names no region keeps its region, and says so; null clears it", async () => {
    const { store, manager } = await managed({ verify: "off" });
    const set = (region?: string | null) =>
      manager.set("org", { provider: "vendor", apiKey: randomUUID(), ...(region === undefined ? {} : { region }) });
    expect(await set("eu")).toMatchObject({ region: "eu" });
    expect(await set()).toMatchObject({ region: "eu" });
    expect((await store.describe("org"))[0]?.region).toBe("eu");
    expect(await set(null)).toMatchObject({ region: null });
    expect(await set()).toMatchObject({ region: null });
    expect(await manager.remove("org", { provider: "vendor" })).toMatchObject({ region: null });
  });
});

describe("a change that is repeated under one idempotency key", () => {
  it("is the same change, which succeeds once; with another key it is another", async () => {
    const { store, manager, build } = await managed({ verify: "off" });
    const key = { provider: "vendor", apiKey: "own-key", idempotencyKey: "request-1" };
    const first = await manager.set("org", key);
    const again = await build().set("org", key);
    expect([again.seq, again.byokKeys]).toEqual([first.seq, first.byokKeys]);
    const other = await manager.set("org", { ...key, apiKey: "another-key" });
    expect(other.seq).toBe(first.seq + 1);
    expect(await storedKey(store)).toBe("another-key");
    expect(JSON.stringify(first)).not.toContain(new Secret("own-key").reveal());
  });
});

describe("the trail", () => {
  it("of a key that its provider rejects leaves a trace, counted by the minute", async () => {
    const { vendor, manager } = await managed();
    for (const apiKey of ["guess-1", "guess-2", "guess-3"]) {
      const failed = caught(manager.set("org", { provider: "vendor", apiKey, actor: "mallory" }));
      await vendor.answer(apiKey, "invalid");
      expect(await failed).toMatchObject({ code: "key_rejected" });
    }
    const { entries } = await manager.audit("org");
    expect(entries.reduce((sum, { times }) => sum + times, 0)).toBe(3);
    for (const entry of entries) expect(entry).toMatchObject({ action: "attempted", seq: null, actor: "mallory" });
  });

  it("of a check says who asked and what was said", async () => {
    const { vendor, manager, build } = await managed();
    const saving = manager.set("org", { provider: "vendor", apiKey: "own-key" });
    await vendor.answer("own-key");
    await saving;
    const verifying = build().verify("org", "vendor", { actor: "ann" });
    await vendor.answer("own-key", "restricted");
    expect(await verifying).toMatchObject({ verdict: "restricted", status: "restricted" });
    const [entry] = (await manager.audit("org")).entries;
    expect(entry).toMatchObject({ action: "verified", seq: null, actor: "ann", verdict: "restricted" });
  });
});

describe("a burst of one organisation", () => {
  it("is stored one after another, and another organisation's change does not wait for it", async () => {
    const { store, manager } = await managed({ verify: "off" });
    const set = (orgId: string, provider: string) => manager.set(orgId, { provider, apiKey: "own-key", region: null });
    const release = store.hold();
    const first = set("org", "vendor");
    await waitFor(() => expect(store.sent.puts).toBe(1));
    const second = set("org", "other_vendor");
    store.flow();
    expect(await set("other", "vendor")).toMatchObject({ region: null });
    expect(await set("other", "other_vendor")).toMatchObject({ region: null });
    expect(store.sent.puts).toBe(3);
    release();
    await Promise.all([first, second]);
    expect(store.sent.puts).toBe(4);
  });

  it("is not changed by a removal whose caller went away while it waited for its turn", async () => {
    const { store, manager } = await managed({ verify: "off" });
    const release = store.hold();
    const saving = manager.set("org", { provider: "vendor", apiKey: "own-key", region: null });
    await waitFor(() => expect(store.sent.puts).toBe(1));
    const gone = new AbortController();
    const removal = { provider: "vendor", signal: gone.signal };
    const failed = expect(manager.remove("org", removal)).rejects.toThrow("hung up");
    gone.abort(new Error("hung up"));
    release();
    store.flow();
    await failed;
    await saving;
    expect(await manager.set("org", { provider: "other_vendor", apiKey: "own-key", region: null })).toMatchObject({
      byokKeys: { vendor_secret_id: expect.any(String) },
    });
  });

  it("of more than a hundred that wait is refused, and can be made again", async () => {
    const { store, manager } = await managed({ verify: "off" });
    const release = store.hold();
    const all = Array.from({ length: 150 }, () =>
      manager.remove("org", { provider: "vendor" }).catch((error) => error),
    );
    const refused = (await Promise.race([Promise.all(all), Promise.any(all.slice(140))])) as { code?: string };
    expect(refused).toMatchObject({ code: "store_unavailable", retryable: true });
    release();
    store.flow();
    await Promise.all(all);
    expect(await manager.remove("org", { provider: "vendor" })).toMatchObject({ seq: 0 });
  });
});
