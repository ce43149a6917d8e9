import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { createKeyManager } from "../../src/manager/create-key-manager.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { withCatalogue } from "../../src/providers/define-provider.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { xai } from "../../src/providers/xai.ts";
import { memoryStore } from "../../src/store/memory-store.ts";

interface Documented {
  readonly providers: readonly {
    readonly id: string;
    readonly models: readonly object[];
    readonly voices?: readonly object[];
  }[];
}

/** The answer of `GET /byok/config` as the API's documentation prints it. */
const documented = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/byok-config.json"), "utf8"),
) as Documented;
const configOf = (providers?: readonly Provider[]) => {
  const keyring = createKeyring(generateKeyring());
  return createKeyManager({ store: memoryStore(), keyring, ...(providers ? { providers } : {}) }).config();
};

describe("GET /byok/config", () => {
  const { providers } = configOf();

  it("lists the documented providers in the documented order", () => {
    expect(providers.map(({ id }) => id)).toEqual(documented.providers.map(({ id }) => id));
  });

  it.each(
    documented.providers,
  )("has everything that the documentation says of $id, first and unchanged", (expected) => {
    const ours = providers.find(({ id }) => id === expected.id);
    const { models, voices, ...facts } = expected;
    expect(ours).toMatchObject(facts);
    for (const [index, model] of models.entries()) expect(ours?.models[index]).toMatchObject(model);
    for (const [index, voice] of (voices ?? []).entries()) expect(ours?.voices?.[index]).toEqual(voice);
  });
});

describe.each(builtinProviders as readonly Provider[])("the catalogue of $id", ({ models, voices = [], serves }) => {
  it("has at most one default per slot, and models of its own slots only", () => {
    for (const slot of serves) {
      expect(models.filter((model) => model.slot === slot && model.default).length).toBeLessThanOrEqual(1);
    }
    for (const { slot } of models) expect(serves).toContain(slot);
  });

  it("names nothing twice", () => {
    for (const list of [models, voices]) expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
  });
});

it("an operator replaces models, default and voices in one line, and the rest stays", () => {
  const models = [{ id: "grok-voice-latest", name: "Grok Voice", default: true, slot: "realtime" }] as const;
  const newer = withCatalogue(xai, { models });
  expect(configOf([newer]).providers).toMatchObject([{ id: "xai", models, voices: xai.voices, docs_url: xai.docsUrl }]);
  expect(withCatalogue(xai, { voices: [] })).toMatchObject({ models: xai.models, voices: [] });
});
