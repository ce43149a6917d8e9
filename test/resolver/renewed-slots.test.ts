import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { byokErrorOf } from "../../src/index.ts";
import { caught } from "../support/caught.ts";
import { type HeldWorld, heldWorld } from "../support/held-world.ts";
import { ManualClock } from "../support/manual-clock.ts";

const agent = { llm_config: { provider: "openai" } } as const;
const inner = { message: "You exceeded your current quota.", type: "insufficient_quota", code: "insufficient_quota" };
const body = { error: inner };
const platformKeys = { openai: "key-of-the-platform" };
let world: HeldWorld;

beforeEach(async () => {
  world = await heldWorld();
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe("a slot whose credential something holds is renewed with the error that it met", () => {
  it.each([
    ["OpenAI's SDK", Object.assign(new Error("429"), { status: 429, error: inner })],
    ["an SDK that keeps the body", Object.assign(new Error("429"), { statusCode: 429, body })],
    [
      "a framework that keeps the text",
      Object.assign(new Error(), { statusCode: 429, responseBody: JSON.stringify(body) }),
    ],
  ])("of %s, and the policy decides", async (_name, error) => {
    await using resolver = world.open({ platformKeys, fallback: { exhausted: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    expect(await llm.renew(error)).toMatchObject({ source: "platform", reason: "exhausted" });
    expect(world.events.filter(({ type }) => type === "key_refused")).toMatchObject([{ secretId: llm.secretId }]);
  });

  it("of a handshake, and its newer key serves where there is one", async () => {
    await using resolver = world.open({ leaseMs: 60_000, pollMs: 30_000, platformKeys });
    const { llm } = await resolver.resolve("org", agent);
    const error = new Error("Unexpected server response: 401");
    const refused = await caught(llm.renew(error));
    expect(byokErrorOf(refused)).toMatchObject({ code: "key_rejected", slot: "llm" });
    await world.manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    expect((await llm.renew(error)).credential.key.reveal()).toBe("key-of-tuesday");
  });

  it("of a key that is refused again once the mark has ended", async () => {
    const clock = new ManualClock();
    await using resolver = world.open({ platformKeys, fallback: { exhausted: "platform" } }, clock);
    const { llm } = await resolver.resolve("org", agent);
    const error = { statusCode: 429, body };
    expect((await llm.renew(error)).source).toBe("platform");
    clock.pauseProcess(30_000);
    const tried = await resolver.resolve("org", agent);
    expect(tried.llm.source).toBe("byok");
    expect((await tried.llm.renew(error)).source).toBe("platform");
  });

  it("of the platform's key, which marks no organisation", async () => {
    await using resolver = world.open({ platformKeys });
    const { llm } = await resolver.resolve("other", agent);
    const error = { statusCode: 429, body };
    expect(await caught(llm.renew(error))).toMatchObject({ code: "platform_key_refused", orgId: "other" });
    expect((await llm.renew()).source).toBe("platform");
  });

  it.each([
    [
      "a rate limit",
      { status: 429, error: { ...inner, message: "Slow down.", type: "x", code: "rate_limit_exceeded" } },
    ],
    ["a fault of the provider's", { status: 500, error: inner }],
    ["somebody else's answer", { statusCode: 401, body: "<html>Sign in</html>" }],
    ["nothing", undefined],
    [
      "a getter that throws",
      Object.defineProperty({}, "status", {
        get: () => {
          throw new Error("no");
        },
      }),
    ],
  ])("that is %s, and its key goes on serving", async (_name, error) => {
    await using resolver = world.open({ platformKeys, fallback: { exhausted: "platform", rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    expect((await llm.renew(error)).source).toBe("byok");
  });
});
