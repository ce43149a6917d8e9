import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Platform, platform, type Worker } from "../support/worker.ts";

const agent = { llm_config: { provider: "ada", model: "ada-1" }, stt_config: { provider: "ada" } };
let vault: Platform;
let worker: Worker;

beforeEach(async () => {
  vault = await platform();
  for (const provider of ["ada", "bob"]) await vault.manager.set("org", { provider, apiKey: `key-of-${provider}` });
  worker = vault.worker();
  await worker.resolver.resolve("org", agent);
});
afterEach(async () => {
  await worker[Symbol.asyncDispose]();
});

const resolve = async (asked: unknown): Promise<Record<string, unknown>> =>
  (await worker.resolver.resolve("org", asked as typeof agent)) as unknown as Record<string, unknown>;
/** What a worker says that has never been asked before. */
const resolveAnew = async (asked: unknown): Promise<Record<string, unknown>> => {
  await using other = vault.worker();
  return (await other.resolver.resolve("org", asked as typeof agent)) as unknown as Record<string, unknown>;
};

describe("a call whose slots are at hand", () => {
  it.each([
    ["the same agent", agent],
    ["an agent that is written anew", JSON.parse(JSON.stringify(agent))],
    ["another model", { ...agent, llm_config: { provider: "ada", model: "ada-2" } }],
    ["a model that is null", { ...agent, llm_config: { provider: "ada", model: null } }],
    ["a model that is empty", { ...agent, stt_config: { provider: "ada", model: "" } }],
    ["a voice of its own", { ...agent, stt_config: { provider: "ada", voice: "one" } }],
    ["another provider", { ...agent, stt_config: { provider: "bob" } }],
    ["a slot that is null", { ...agent, stt_config: null }],
    ["one slot more", { ...agent, tts_config: { provider: "bob" } }],
    ["one slot less", { llm_config: agent.llm_config }],
    ["an agent with more to it", { ...agent, name: "Ada", prompt: "Hello" }],
  ])("gets for %s what a call gets that nothing is known of", async (_name, asked) => {
    const [known, anew] = [await resolve(asked), await resolveAnew(asked)];
    expect(Object.keys(known)).toEqual(Object.keys(anew));
    for (const slot of ["llm", "stt", "tts"]) expect(known[slot]).toEqual(anew[slot]);
    expect(await resolve(asked)).toEqual(known);
  });

  it.each([
    ["no agent", undefined],
    ["no slot", {}],
    ["a slot that is no object", { llm_config: "ada" }],
    ["a model that is no text", { llm_config: { provider: "ada", model: 1 } }],
    ["no provider", { llm_config: { model: "ada-1" } }],
    ["a list", [agent]],
  ])("fails for %s as ever", async (_name, asked) => {
    await expect(resolve(asked)).rejects.toMatchObject({ code: "agent_invalid" });
  });

  it("is served no longer than its lease", async () => {
    await resolve(agent);
    worker.link.isDown = true;
    worker.clock.pauseProcess(60_000);
    await expect(resolve(agent)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("inherits no slot, no provider and no model", async () => {
    await resolve({ ...agent, tts_config: { provider: "ada" } });
    const polluted = Object.prototype as Record<string, unknown>;
    try {
      polluted["tts_config"] = { provider: "ada" };
      expect(Object.keys(await resolve({ stt_config: { provider: "ada" } }))).toEqual(["orgId", "stt"]);
      polluted["model"] = "ada-polluted";
      const resolution = await resolve({ stt_config: { provider: "ada" } });
      expect(Object.keys(resolution)).toEqual(["orgId", "stt"]);
      expect(resolution["stt"]).toMatchObject({ model: "" });
    } finally {
      delete polluted["tts_config"];
      delete polluted["model"];
    }
  });

  it("takes nothing that stands on Object.prototype for what an organisation was given", async () => {
    await vault.manager.set("other", { provider: "ada", apiKey: "key-of-other" });
    const polluted = Object.prototype as Record<string, unknown>;
    polluted["made"] = {};
    try {
      await using fresh = vault.worker();
      const keyOf = async (orgId: string) => (await fresh.resolver.resolve(orgId, agent)).llm?.credential.key.reveal();
      expect([await keyOf("org"), await keyOf("other"), await keyOf("org")]).toEqual([
        "key-of-ada",
        "key-of-other",
        "key-of-ada",
      ]);
    } finally {
      delete polluted["made"];
    }
  });

  it("rejects, and throws nothing, for an agent whose properties throw", async () => {
    const hostile = {
      get llm_config(): never {
        throw new Error("not to be read");
      },
    };
    const answers = [worker.resolver.resolve("org", hostile), worker.resolver.resolve("org", null as never)];
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("takes what an agent's own class says", async () => {
    class Stored {
      get llm_config() {
        return { provider: "bob" };
      }
    }
    expect((await resolve(new Stored()))["llm"]).toMatchObject({ provider: "bob" });
  });

  it("hands nothing out after the lease, after a change, and after the end", async () => {
    const before = (await resolve(agent))["llm"] as { readonly secretId: string };
    const { seq } = await vault.manager.set("org", { provider: "ada", apiKey: "key-of-ada-2" });
    await worker.resolver.resolve("org", agent, { atLeast: seq });
    expect((await resolve(agent))["llm"]).not.toMatchObject({ secretId: before.secretId });
    worker.link.isDown = true;
    worker.clock.pauseProcess(10_001);
    await expect(resolve(agent)).rejects.toMatchObject({ code: "store_unavailable" });
    await worker.resolver.close();
    await expect(resolve(agent)).rejects.toMatchObject({ code: "closed" });
  });

  it("is told as any other", async () => {
    const before = worker.events.length;
    await resolve(agent);
    expect(worker.events.slice(before)).toEqual([{ type: "snapshot_used", orgId: "org", from: "memory" }]);
  });
});
