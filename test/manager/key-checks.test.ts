import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  defineProvider,
  generateKeyring,
  type KeyManager,
  type KeyManagerOptions,
  type KeyStore,
  memoryStore,
} from "../../src/index.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { type DoubleId, type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { caught } from "../support/caught.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { waitFor } from "../support/wait-for.ts";

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

/** A provider of the user's own. */
const vendor = (check?: () => Promise<never>) =>
  defineProvider({
    id: "vendor",
    name: "Vendor",
    category: "llm",
    docsUrl: "https://vendor.example",
    serves: ["llm"],
    endpoint: { baseUrl: "https://vendor.example", websocketUrl: "wss://vendor.example" },
    models: [],
    connect: () => ({}),
    ...(check === undefined ? {} : { check }),
  });

describe("a key check", () => {
  it("of a provider that stalls ends in time for the key to be stored", async () => {
    doubles.behave("openai", { stall: "headers" });
    const change = await manager.set("org", { provider: "openai", apiKey: key });
    expect(change).toMatchObject({ seq: 1, verdict: "unreachable" });
  });

  it("that a provider of the user's own never ends, or ends with an error, blames no key", async () => {
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

describe("key checks beyond their limits", () => {
  const limited = (options: Partial<KeyManagerOptions>) => {
    const clock = new ManualClock();
    return { clock, manager: createKeyManagerOn(clock, { store, keyring, endpoints: doubles.endpoints, ...options }) };
  };
  const set = (one: KeyManager, apiKey: string, orgId = "org", provider = "openai") =>
    caught(one.set(orgId, { provider, apiKey }));

  it("are not made: stolen keys are not told apart, and nothing is stored", async () => {
    const { clock, manager: one } = limited({ checkLimits: { perMinute: 20 } });
    doubles.accept("openai", key);
    const said = [];
    for (let stolen = 0; stolen < 25; stolen += 1) said.push((await set(one, `stolen-key-${stolen}-0123456789`)).code);
    expect(said).toEqual([...Array(20).fill("key_rejected"), ...Array(5).fill("checks_limited")]);
    expect(await set(one, key)).toMatchObject({ orgId: "org", provider: "openai", retryAfterMs: 3_000 });
    expect(doubles.requests).toHaveLength(20);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
    clock.pauseProcess(3_000);
    expect((await one.set("org", { provider: "openai", apiKey: key })).verdict).toBe("passed");
  });

  it("count checks of stored keys and of new ones together", async () => {
    const { manager: one } = limited({ checkLimits: { perMinute: 3 } });
    doubles.accept("openai", key);
    await one.set("org", { provider: "openai", apiKey: key });
    for (let again = 0; again < 2; again += 1) await one.verify("org", "openai");
    expect(await caught(one.verify("org", "openai"))).toMatchObject({ code: "checks_limited", orgId: "org" });
    expect((await set(one, key)).code).toBe("checks_limited");
    expect(doubles.requests).toHaveLength(3);
  });

  it("at the same time are not made until one of those under way has ended, however it ends", async () => {
    const { clock, manager: one } = limited({ checkLimits: { atOnce: 3 } });
    await limited({ verify: "off" }).manager.set("org", { provider: "openai", apiKey: key });
    doubles.behave("openai", { stall: "headers" });
    const underWay = [1, 2, 3].map(() => one.verify("org", "openai"));
    await waitFor(() => expect(doubles.requests).toHaveLength(3));
    expect((await set(one, key)).code).toBe("checks_limited");
    await clock.advance(4_000);
    expect((await Promise.all(underWay)).map(({ verdict }) => verdict)).toEqual(Array(3).fill("unreachable"));
    doubles.behave("openai", null);
    expect((await set(one, key)).code).toBe("key_rejected");
  });

  it("hold back no other organisation and no other provider", async () => {
    const { manager: one } = limited({ checkLimits: { perMinute: 1 } });
    expect([(await set(one, key)).code, (await set(one, key)).code]).toEqual(["key_rejected", "checks_limited"]);
    expect((await set(one, key, "other")).code).toBe("key_rejected");
    expect((await set(one, key, "org", "xai")).code).toBe("key_rejected");
  });

  it("are counted where a provider is asked, and nowhere else", async () => {
    const limits = { checkLimits: { perMinute: 1 } };
    const { manager: one } = limited(limits);
    const { manager: off } = limited({ ...limits, verify: "off" });
    const { manager: unchecked } = limited({ ...limits, endpoints: {}, providers: [vendor()] });
    for (let change = 0; change < 5; change += 1) {
      expect((await off.set("org", { provider: "openai", apiKey: key })).verdict).toBe("skipped");
      expect((await unchecked.set("org", { provider: "vendor", apiKey: key })).verdict).toBe("skipped");
      expect((await set(one, "xai-wrong-field")).code).toBe("key_malformed");
    }
    expect((await set(one, key)).code).toBe("key_rejected");
    expect(await off.verify("org", "openai")).toMatchObject({ verdict: "invalid" });
  });
});

it("a manager whose endpoints name no provider, or no safe host, is options_invalid", () => {
  for (const endpoints of [{ nobody: "https://x.example" }, { openai: "http://proxy.example" }]) {
    expect(() => createKeyManager({ store: memoryStore(), keyring, endpoints })).toThrow(
      expect.objectContaining({ code: "options_invalid" }),
    );
  }
});
