import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { platformKeysFromEnv } from "../../src/providers/platform-keys.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { egressOf, serving } from "../support/egress.ts";
import { poisonedEnvironment } from "./poisoned-environment.ts";

const modules = resolve(import.meta.dirname, "../../node_modules");
/** A variable's name as a member of the environment or in quotes; compiled code calls the environment many names. */
const variable = /(?:\.|["'])(?<name>(?:OPENAI|DEEPGRAM|ELEVENLABS|XAI|RESEND|AZURE|AWS|GOOGLE)_[A-Z0-9_]+)\b/gu;

const namesIn = (sdk: string): Set<string> => {
  const names = new Set<string>();
  for (const file of readdirSync(join(modules, sdk), { recursive: true, encoding: "utf8" })) {
    if (!/\.[cm]?js$/u.test(file)) continue;
    for (const { groups } of readFileSync(join(modules, sdk, file), "utf8").matchAll(variable)) {
      if (groups?.["name"] !== undefined) names.add(groups["name"]);
    }
  }
  return names;
};

beforeEach(() => {
  for (const name of Object.keys(poisonedEnvironment)) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

it.each([
  ["openai", 15],
  ["@deepgram/sdk", 2],
  ["@elevenlabs/elevenlabs-js", 1],
  ["resend", 4],
])("every variable that %s reads is in the poisoned environment", (sdk, atLeast) => {
  const names = namesIn(sdk);
  expect(names.size).toBeGreaterThanOrEqual(atLeast);
  expect([...names].filter((name) => !(name in poisonedEnvironment))).toEqual([]);
});

it.each(
  builtinProviders as readonly Provider[],
)("a client of $id needs nothing of the environment", async (provider) => {
  const egress = egressOf(provider, serving("customer-key", "http://127.0.0.1:9"));
  expect(provider.connect(egress, await provider.load?.())).toBeTypeOf("object");
});

it("the platform's keys are read from the environment only when they are asked for, blank ones are absent", () => {
  expect(platformKeysFromEnv()).toEqual({});
  vi.stubEnv("OPENAI_API_KEY", " platform-openai ");
  vi.stubEnv("RESEND_API_KEY", "  ");
  expect(platformKeysFromEnv()).toEqual({ openai: "platform-openai" });
  expect(platformKeysFromEnv({ XAI_API_KEY: "platform-xai" })).toEqual({ xai: "platform-xai" });
});

it("LiveKit's name of ElevenLabs' variable is read where its own is absent or blank", () => {
  expect(platformKeysFromEnv({ ELEVEN_API_KEY: "platform-eleven" })).toEqual({ elevenlabs: "platform-eleven" });
  const both = { ELEVEN_API_KEY: "platform-eleven", ELEVENLABS_API_KEY: "platform-elevenlabs" };
  expect(platformKeysFromEnv(both)).toEqual({ elevenlabs: "platform-elevenlabs" });
  expect(platformKeysFromEnv({ ...both, ELEVENLABS_API_KEY: " " })).toEqual({ elevenlabs: "platform-eleven" });
});
