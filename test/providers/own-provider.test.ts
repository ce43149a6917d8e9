import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { explainImport } from "../../src/explain-import.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  defineProvider,
  generateKeyring,
  memoryStore,
} from "../../src/index.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import { caught } from "../support/caught.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { recordingServer } from "../support/recording-server.ts";

/** A vendor whose SDK is loaded as often as `loads` says. */
const cartesia = (loads: string[] = []) =>
  defineProvider({
    id: "cartesia",
    name: "Cartesia",
    category: "tts",
    docsUrl: "https://docs.cartesia.ai",
    serves: ["tts"],
    endpoint: { baseUrl: "https://api.cartesia.ai", websocketUrl: "wss://api.cartesia.ai" },
    sdk: "@cartesia/cartesia-js@4",
    models: [{ id: "sonic-3", name: "Sonic 3", default: true, slot: "tts" }],
    load: async () => {
      loads.push("cartesia");
      return await Promise.resolve({ prefix: "loaded" });
    },
    connect: ({ baseUrl, fetch }, loaded) => ({
      speak: () => fetch(`${baseUrl}/tts?${(loaded as { prefix: string }).prefix}`, { method: "POST", body: "Hello" }),
    }),
  });

const missing = defineProvider({
  ...cartesia(),
  load: async () => {
    try {
      return await import("no-such-package-of-cartesia" as string);
    } catch (error) {
      throw explainImport(error, "cartesia", "no-such-package-of-cartesia@4");
    }
  },
});

const platform = async (provider: ReturnType<typeof cartesia> | typeof missing, endpoint?: string) => {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, providers: [provider] });
  const resolver = createResolver({
    store,
    keyring,
    providers: [provider],
    ...(endpoint === undefined ? {} : { endpoints: { cartesia: endpoint } }),
    platformKeys: { cartesia: "platform-key" },
  });
  return { manager, resolver };
};
const agent = { tts_config: { provider: "cartesia" } } as const;

describe("a vendor of the user's own", () => {
  it("serves organisations' keys like a built-in one", async () => {
    await using server = await recordingServer();
    const { manager, resolver } = await platform(cartesia(), server.origin);
    const { byokKeys } = await manager.set("org", { provider: "cartesia", apiKey: "own-key" });
    expect(byokKeys.cartesia_secret_id).toEqual(expect.any(String));
    const call = await resolver.resolve("org", agent);
    expect(call.tts).toMatchObject({ provider: "cartesia", model: "sonic-3", source: "byok" });
    await call.tts.client.speak();
    await (await resolver.resolve("none", agent)).tts.client.speak();
    expect(server.arrived.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/tts?loaded", "Bearer own-key"],
      ["/tts?loaded", "Bearer platform-key"],
    ]);
    await resolver.close();
  });

  it("has its SDK loaded once, by ready() or with the first call", async () => {
    for (const isReady of [true, false]) {
      const loads: string[] = [];
      const { resolver } = await platform(cartesia(loads));
      expect(loads).toEqual([]);
      if (isReady) await resolver.ready();
      expect(loads).toHaveLength(isReady ? 1 : 0);
      await Promise.all([resolver.resolve("a", agent), resolver.resolve("b", agent)]);
      expect(loads).toEqual(["cartesia"]);
      await resolver.close();
    }
  });

  it("whose SDK is not installed fails its slot with the install line, and ready() goes on without it", async () => {
    const { resolver } = await platform(missing);
    await resolver.ready();
    const error = await caught(resolver.resolve("org", agent));
    expect(error).toMatchObject({ code: "sdk_missing", provider: "cartesia", slot: "tts", retryable: false });
    expect(error.message).toContain("npm install no-such-package-of-cartesia@4");
    await resolver.close();
  });

  it.each([
    ["an id that fits nowhere", [{ ...cartesia(), id: "Cartesia!" }]],
    ["the id of another", [cartesia(), cartesia()]],
  ])("with %s is options_invalid", (_name, providers) => {
    const options = { store: memoryStore(), keyring: createKeyring(generateKeyring()), providers };
    expect(() => createResolver(options as never)).toThrow(expect.objectContaining({ code: "options_invalid" }));
  });
});

it("the import of a first call takes nothing of its deadline", async () => {
  const clock = new ManualClock();
  const imported = Promise.withResolvers<unknown>();
  const slow = defineProvider({ ...cartesia(), load: () => imported.promise });
  const store = memoryStore();
  await store.migrate();
  const options = { store, keyring: createKeyring(generateKeyring()), providers: [slow], deadlineMs: 1_000 };
  const resolver = createResolverOn(clock, { ...options, platformKeys: { cartesia: "platform-key" } });
  const call = resolver.resolve("org", agent);
  await clock.advance(5_000);
  imported.resolve({ prefix: "loaded" });
  expect((await call).tts.source).toBe("platform");
  const never = defineProvider({ ...cartesia(), load: () => new Promise<never>(() => {}) });
  const other = createResolverOn(clock, { ...options, providers: [never] });
  const ended = caught(other.resolve("org", agent));
  await clock.advance(60_000);
  expect((await ended).code).toBe("deadline_exceeded");
});

it("importing byokit loads no SDK, no driver, no cipher and no validator", () => {
  const entry = JSON.stringify(join(import.meta.dirname, "../../src/index.ts"));
  const program = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    await import(${entry});
    console.log(JSON.stringify(loaded));`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  const packages = (JSON.parse(printed) as string[]).flatMap((url) => url.split("/node_modules/")[1] ?? []);
  const names = new Set(
    packages.map((path) =>
      path
        .split("/")
        .slice(0, path.startsWith("@") ? 2 : 1)
        .join("/"),
    ),
  );
  expect([...names].sort()).toEqual(["lru-cache"]);
});
