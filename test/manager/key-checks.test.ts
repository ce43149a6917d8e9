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
import type { KeyCheck } from "../../src/providers/provider.ts";
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

describe("a key that is refused where it was asked", () => {
  const regions = { eu: { baseUrl: "https://eu.vendor.example", websocketUrl: "wss://eu.vendor.example" } };
  const refusing = (said: KeyCheck, hasRegions = true) => {
    const provider = { ...vendor(() => Promise.resolve(said) as never), ...(hasRegions ? { regions } : {}) };
    return createKeyManager({ store, keyring, providers: [provider] });
  };
  const input = { provider: "vendor", apiKey: key };

  it("names the region that its provider named, where byokit knows it, and repeats nothing else", async () => {
    const wrongRegion = { verdict: "invalid", reason: "wrong_region" } as const;
    const said = await caught(refusing({ ...wrongRegion, region: "eu" }).set("org", input));
    expect(said).toMatchObject({ code: "key_rejected", reason: "wrong_region" });
    expect(said.message).toMatch(/another region, "eu"/u);
    const unknown = await caught(refusing({ ...wrongRegion, region: "planted" }).set("org", input));
    expect(unknown.message).toMatch(/another region\. Store it with the region/u);
    expect(unknown.message).not.toContain("planted");
  });

  it("names the region as a possible cause, of a provider that has regions", async () => {
    for (const reason of ["wrong_key", "refused"] as const) {
      const wrong = { verdict: "invalid", reason } as const;
      expect((await caught(refusing(wrong).set("org", input))).message).toMatch(
        /without a region: if .* another region/u,
      );
      const inEu = caught(refusing(wrong).set("org", { ...input, region: "eu" }));
      expect((await inEu).message).toMatch(/in the region "eu": if/u);
      expect((await caught(refusing(wrong, false).set("org", input))).message).not.toMatch(/region/u);
    }
    const restricted = { verdict: "restricted", reason: "refused" } as const;
    expect((await refusing(restricted).set("org", input)).reason).toBe("perhaps_wrong_region");
    expect((await refusing(restricted, false).set("org", input)).reason).toBe("refused");
  });

  it.each([
    ["blocked", /is blocked/u],
    ["account_closed", /account that is closed/u],
    ["refused", /in words that byokit does not know/u],
    ["wrong_key", /is not valid/u],
  ] as const)("says so: %s", async (reason, why) => {
    const said = await caught(refusing({ verdict: "invalid", reason }).set("org", input));
    expect(said).toMatchObject({ code: "key_rejected", reason, message: expect.stringMatching(why) });
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

  it("that failed on its way is made once more before a key is stored, and once only", async () => {
    const said: KeyCheck[] = [];
    let asked = 0;
    const check = async () => said[asked++] as never;
    const own = createKeyManager({ store, keyring, providers: [vendor(check)] });
    const set = async (...answers: readonly KeyCheck[]) => {
      said.splice(0, said.length, ...answers);
      asked = 0;
      const outcome = await own.set("org", { provider: "vendor", apiKey: key }).catch((error: unknown) => error);
      return { asked, outcome };
    };
    const failed = ["provider_error", "timeout", "rate_limited"] as const;
    for (const reason of failed) {
      const lost = { verdict: "unreachable", reason } as const;
      expect(await set(lost, { verdict: "passed" })).toMatchObject({ asked: 2, outcome: { verdict: "passed" } });
      const wrong = { verdict: "invalid", reason: "wrong_key" } as const;
      expect(await set(lost, wrong)).toMatchObject({ asked: 2, outcome: { code: "key_rejected" } });
      expect(await set(lost, lost, wrong)).toMatchObject({ asked: 2, outcome: { verdict: "unreachable", reason } });
    }
    for (const word of [
      { verdict: "passed", reason: "no_quota" },
      { verdict: "restricted" },
      { verdict: "invalid" },
    ] as const) {
      expect((await set(word, word)).asked).toBe(1);
    }
  });

  it("of a provider that loses one connection, or answers 503, asks it twice and counts as one", async () => {
    for (const misbehaviour of [{ status: 503 }, { status: 429 }]) {
      doubles.clear();
      doubles.behave("openai", misbehaviour);
      const one = createKeyManager({ store, keyring, endpoints: doubles.endpoints, checkLimits: { perMinute: 2 } });
      for (let change = 0; change < 2; change += 1) {
        expect((await one.set("org", { provider: "openai", apiKey: key })).verdict).toBe("unreachable");
      }
      expect(doubles.requests).toHaveLength(4);
    }
  });

  it("that is silent for half of its time is made again meanwhile, and the first word of the two counts", async () => {
    const clock = new ManualClock();
    const answers: ((said: KeyCheck) => void)[] = [];
    const check = () => new Promise<KeyCheck>((resolve) => answers.push(resolve)) as never;
    const own = createKeyManagerOn(clock, { store, keyring, providers: [vendor(check)] });
    for (const first of [0, 1]) {
      answers.splice(0);
      const change = caught(own.set("org", { provider: "vendor", apiKey: key }));
      await waitFor(() => expect(answers).toHaveLength(1));
      await clock.advance(2_000);
      await waitFor(() => expect(answers).toHaveLength(2));
      answers[1 - first]?.({ verdict: "unreachable", reason: "provider_error" });
      answers[first]?.({ verdict: "invalid", reason: "wrong_key" });
      expect(await change).toMatchObject({ code: "key_rejected", reason: "wrong_key" });
    }
  });

  it("of a client that goes away is not made again", async () => {
    const clock = new ManualClock();
    const leaving = new AbortController();
    let asked = 0;
    const check = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const own = createKeyManagerOn(clock, { store, keyring, providers: [vendor(check)] });
    const change = own.set("org", { provider: "vendor", apiKey: key, signal: leaving.signal });
    await waitFor(() => expect(asked).toBe(1));
    leaving.abort(new Error("gone"));
    await expect(change).rejects.toThrow("gone");
    await clock.advance(5_000);
    expect(asked).toBe(1);
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
