import { describe, expect, it } from "vitest";
import {
  type BuiltinProvider,
  type Clients,
  createKeyring,
  createResolver,
  generateKeyring,
  memoryStore,
  type ResolverOptions,
} from "../../src/index.ts";
import { platform, vendors } from "../support/worker.ts";

const build = (options: Partial<ResolverOptions<BuiltinProvider, Clients>>) =>
  createResolver({ store: memoryStore(), keyring: createKeyring(generateKeyring()), ...options });
const codeOf = (options: Partial<ResolverOptions<BuiltinProvider, Clients>>): string => {
  try {
    build(options);
    return "taken";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("an option", () => {
  it.each<Partial<ResolverOptions<BuiltinProvider, Clients>>>([
    { deadlineMs: 0 },
    { deadlineMs: Number.NaN },
    { requestTimeoutMs: -1 },
    { leaseMs: 2 ** 31 },
    { pollMs: 5_001 },
    { serveStaleMs: -1 },
    { absentStaleMs: Number.POSITIVE_INFINITY },
    { maxOrgs: 0 },
    { maxOrgs: 1.5 },
    { clients: ["nobody" as "openai"] },
    { platformKeys: { nobody: "k" } as object },
    { endpoints: { nobody: "https://x.example" } as object },
  ])("like %j is options_invalid", (options) => {
    expect(codeOf(options)).toBe("options_invalid");
  });

  it("that holds a platform key which cannot be one is key_malformed, and a blank one is not taken for none", () => {
    expect(codeOf({ platformKeys: { openai: "two words" } })).toBe("key_malformed");
    expect(codeOf({ platformKeys: { openai: " " } })).toBe("key_malformed");
  });

  it("that is spelt out as undefined is left out", () => {
    expect(codeOf({ platformKeys: { openai: undefined } as object, endpoints: { xai: undefined } as object })).toBe(
      "taken",
    );
  });
});

describe("an operator's endpoint", () => {
  it.each([
    "http://proxy.example",
    "ftp://proxy.example",
    "proxy.example",
    "https://user:pass@proxy.example",
    "https://proxy.example/?key=1",
    "https://proxy.example/#part",
    "http://127.0.0.1.evil.example",
    "http://[::2]",
    { baseUrl: "https://proxy.example", websocketUrl: "ws://proxy.example" },
    { baseUrl: "https://proxy.example", websocketUrl: "https://proxy.example" },
  ])("like %j is refused", (endpoint) => {
    expect(codeOf({ endpoints: { deepgram: endpoint } })).toBe("options_invalid");
  });

  it.each([
    ["https://proxy.example/v1/", "https://proxy.example/v1", "wss://proxy.example/v1"],
    ["http://localhost:8080", "http://localhost:8080", "ws://localhost:8080"],
    ["http://127.9.9.9", "http://127.9.9.9", "ws://127.9.9.9"],
    ["http://[::1]:8080", "http://[::1]:8080", "ws://[::1]:8080"],
    [{ baseUrl: "https://a.example", websocketUrl: "wss://b.example" }, "https://a.example", "wss://b.example"],
  ])("like %j is used for HTTP and websockets", async (endpoint, baseUrl, websocketUrl) => {
    const { worker } = await platform();
    await using here = worker({ endpoints: { ada: endpoint } });
    const call = await here.resolver.resolve("org", { llm_config: { provider: "ada" } });
    expect(call.llm.credential).toMatchObject({ baseUrl, websocketUrl });
  });

  it("that names a region serves the keys of that region, and no key of another", async () => {
    const { manager, worker } = await platform();
    const endpoint = { baseUrl: "https://eu-proxy.example", region: "eu" };
    await using here = worker({ endpoints: { ada: endpoint, bob: { ...endpoint, region: "us" } } });
    for (const { id } of vendors) await manager.set("org", { provider: id, apiKey: "own-key", region: "eu" });
    const call = await here.resolver.resolve("org", {
      llm_config: { provider: "ada" },
      stt_config: { provider: "bob" },
    });
    expect(call.llm.credential.baseUrl).toBe("https://eu-proxy.example");
    expect(call.stt.credential.baseUrl).toBe("https://eu.bob.example");
  });
});

describe("what an operator counts", () => {
  it("may throw without failing a call", async () => {
    const { worker } = await platform();
    await using here = worker({
      keyring: createKeyring(generateKeyring("other")),
      onEvent: () => {
        throw new Error("The counter is broken.");
      },
    });
    expect((await here.resolver.resolve("org", { llm_config: { provider: "ada" } })).llm.source).toBe("platform");
  });
});
