import { describe, expect, it } from "vitest";
import { parseAgent } from "../../src/index.ts";

const agent = { name: "Front desk", llm_config: { provider: "openai", model: null }, stt_config: null };
const long = "x".repeat(513);

describe("an agent of a JSON column", () => {
  it.each([
    ["its value", agent],
    ["its text", JSON.stringify(agent)],
  ])("is taken by %s, with what it has beside its slots", (_name, value) => {
    expect(parseAgent(value)).toEqual(agent);
  });

  it.each([
    ["nothing", undefined, "the agent"],
    ["null", null, "the agent"],
    ["a list", [agent], "the agent"],
    ["a list's text", "[]", "the agent"],
    ["no slot", { name: "Front desk" }, "names no slot"],
    ["slots that are all null", { llm_config: null }, "names no slot"],
    ["a slot that is a text", { llm_config: "openai" }, "at: llm_config."],
    ["a slot without a provider", { tts_config: {} }, "tts_config.provider"],
    ["an empty provider", { tts_config: { provider: "" } }, "tts_config.provider"],
    ["a provider that is a number", { llm_config: { provider: 3 } }, "llm_config.provider"],
    ["a provider longer than any", { llm_config: { provider: "x".repeat(65) } }, "llm_config.provider"],
    ["a model that is a list", { llm_config: { provider: "openai", model: ["m"] } }, "llm_config.model"],
    ["a voice longer than any", { tts_config: { provider: "elevenlabs", voice: long } }, "tts_config.voice"],
    ["two faults", { llm_config: 1, stt_config: { provider: 2 } }, "llm_config, stt_config.provider"],
    ["a text that is no JSON", "sk-planted-key", "not JSON"],
  ])("with %s is agent_invalid, and nothing of it is repeated", (_name, value, said) => {
    const invalid = expect.objectContaining({ code: "agent_invalid", message: expect.stringContaining(said) });
    expect(() => parseAgent(value)).toThrow(invalid);
    expect(() => parseAgent(value)).not.toThrow(/planted/u);
  });
});
