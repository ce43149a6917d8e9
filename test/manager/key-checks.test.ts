import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  defineProvider,
  generateKeyring,
  type KeyManager,
  type KeyStore,
  memoryStore,
} from "../../src/index.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { type DoubleId, type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { caught } from "../support/caught.ts";

const ids: readonly DoubleId[] = builtinProviders.map(({ id }) => id);
const key = "customer-key-0123456789";
let doubles: ProviderDoubles;
let store: KeyStore;
let manager: KeyManager;
const keyring = createKeyring(generateKeyring());

beforeAll(async () => {
  doubles = await startProviderDoubles();
});
beforeEach(async () => {
  for (const id of ids) {
    doubles.behave(id, null);
    doubles.revoke(id, key);
  }
  doubles.clear();
  store = memoryStore();
  await store.migrate();
  manager = createKeyManager({ store, keyring, endpoints: doubles.endpoints, deadlineMs: 20_000 });
});
afterAll(async () => await doubles.close());

describe.each(ids)("a key of %s", (provider) => {
  it("that is valid is stored, and its provider was asked once, with that key", async () => {
    doubles.accept(provider, key);
    expect((await manager.set("org", { provider, apiKey: key })).verdict).toBe("passed");
    expect(doubles.requests.map((request) => [request.provider, request.key])).toEqual([[provider, key]]);
    expect(await manager.verify("org", provider)).toMatchObject({ provider, verdict: "passed" });
  });

  it("that is not valid is refused, nothing is stored, and the provider's text is not repeated", async () => {
    const error = await caught(manager.set("org", { provider, apiKey: key }));
    expect(error).toMatchObject({ code: "key_rejected", orgId: "org", provider, retryable: false });
    expect(error.message).not.toContain(key);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
  });

  it("whose provider does not say is stored, and that is said", async () => {
    doubles.behave(provider, { status: 503 });
    expect((await manager.set("org", { provider, apiKey: key })).verdict).toBe("unreachable");
    expect((await manager.describe("org"))[0]).toMatchObject({ status: "unchecked", lastCheckedAt: null });
    doubles.behave(provider, null);
    expect(await manager.verify("org", provider)).toMatchObject({ verdict: "invalid", status: "rejected" });
    doubles.behave(provider, { status: 503 });
    expect(await manager.verify("org", provider)).toMatchObject({ verdict: "unreachable", status: "rejected" });
    expect((await manager.describe("org"))[0]).toMatchObject({ status: "rejected", lastCheckedAt: expect.any(String) });
    expect((await manager.list("org"))[`${provider}_secret_id`]).not.toBeNull();
  });
});

describe("a key check", () => {
  it("of a provider that stalls ends in time for the key to be stored", async () => {
    doubles.behave("openai", { stall: "headers" });
    const change = await manager.set("org", { provider: "openai", apiKey: key });
    expect(change).toMatchObject({ seq: 1, verdict: "unreachable" });
  });

  it("that a provider of the user's own never ends, or ends with an error, blames no key", async () => {
    const vendor = (check: () => Promise<never>) =>
      defineProvider({
        id: "vendor",
        name: "Vendor",
        category: "llm",
        docsUrl: "https://vendor.example",
        serves: ["llm"],
        endpoint: { baseUrl: "https://vendor.example", websocketUrl: "wss://vendor.example" },
        models: [],
        connect: () => ({}),
        check,
      });
    const hang = () => new Promise<never>(() => {});
    const fail = () => Promise.reject(new Error(`failed with ${key}`));
    for (const check of [hang, fail]) {
      const own = createKeyManager({ store, keyring, providers: [vendor(check)], deadlineMs: 2_000 });
      expect((await own.set("org", { provider: "vendor", apiKey: key })).verdict).toBe("unreachable");
    }
  });

  it("is left out where the operator chose so, and where the provider has none", async () => {
    const off = createKeyManager({ store, keyring, endpoints: doubles.endpoints, verify: "off" });
    expect((await off.set("org", { provider: "openai", apiKey: key })).verdict).toBe("skipped");
    expect(doubles.requests).toEqual([]);
  });

  it("that a replacement overtakes asks again, for the key that is stored", async () => {
    const newer = "customer-key-9876543210";
    doubles.accept("openai", newer);
    await createKeyManager({ store, keyring, verify: "off" }).set("org", { provider: "openai", apiKey: key });
    let isReplaced = false;
    const overtaken: KeyStore = {
      ...store,
      async noteCheck(check) {
        if (!isReplaced) await manager.set("org", { provider: "openai", apiKey: newer });
        isReplaced = true;
        return await store.noteCheck(check);
      },
    };
    const checking = createKeyManager({ store: overtaken, keyring, endpoints: doubles.endpoints });
    const verified = await checking.verify("org", "openai");
    expect(verified).toMatchObject({ verdict: "passed", status: "ok" });
    expect(verified.secretId).toBe((await manager.list("org")).openai_secret_id);
  });

  it("of a key that is not stored is key_not_configured", async () => {
    expect(await caught(manager.verify("org", "openai"))).toMatchObject({ code: "key_not_configured", orgId: "org" });
  });
});

it("a manager whose endpoints name no provider, or no safe host, is options_invalid", () => {
  for (const endpoints of [{ nobody: "https://x.example" }, { openai: "http://proxy.example" }]) {
    expect(() => createKeyManager({ store: memoryStore(), keyring, endpoints })).toThrow(
      expect.objectContaining({ code: "options_invalid" }),
    );
  }
});
