import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { createHandler } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, defineProvider, generateKeyring, memoryStore } from "../../src/index.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { Api } from "../support/api.ts";
import { ownStores } from "../support/stores.ts";

interface Documented {
  readonly request: { readonly method: string; readonly path: string; readonly body?: object };
  /** The providers that have a key before it. */
  readonly given: readonly string[];
  readonly response: Readonly<Record<string, unknown>>;
}

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8"));
const documented = fixture("byok-api.json") as readonly Documented[];
const keyring = createKeyring(generateKeyring());
const authenticate = async () => ({ orgId: "org", canWrite: true });

/** A documented value with every secret id replaced by one word: theirs are examples. */
const shapeOf = (value: unknown): unknown => {
  if (typeof value === "string") return "text";
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)]));
};

describe.each(ownStores)("the documented API on %s", (_name, open) => {
  it.each(documented)("answers $request.method $request.path as documented, field for field", async (example) => {
    await using own = await open();
    const manager = createKeyManager({ store: own.store, keyring, verify: "off" });
    for (const provider of example.given)
      await manager.set("org", { provider, apiKey: `documented-key-of-${provider}` });
    const before = await manager.list("org");
    const api = await Api.of(createHandler({ manager, authenticate }));
    const { method, path, body } = example.request;
    const { status, json } = await api.send(method, path, body === undefined ? {} : { body });
    expect(status).toBe(200);
    for (const [name, value] of Object.entries(example.response)) expect(shapeOf(json[name])).toEqual(shapeOf(value));
    expect(Object.keys(json.byok_keys)).toEqual(Object.keys(example.response["byok_keys"] as object));
    if (method === "GET") expect(Object.keys(json)).toEqual(Object.keys(example.response));
    else expect(json.byok_keys.openai_secret_id).not.toBe(before.openai_secret_id);
    expect(json.byok_keys.deepgram_secret_id).toBe(before.deepgram_secret_id);
    expect(await manager.list("org")).toEqual(json.byok_keys);
  });

  it("answers GET /byok/config with every documented provider, model and voice, with the documented values", async () => {
    await using own = await open();
    const manager = createKeyManager({ store: own.store, keyring, verify: "off" });
    const api = await Api.of(createHandler({ manager, authenticate }));
    const { json } = await api.send("GET", "/byok/config");
    const { providers } = fixture("byok-config.json") as {
      providers: { id: string; models: object[]; voices?: object[] }[];
    };
    expect(json.providers.map(({ id }: { id: string }) => id)).toEqual(providers.map(({ id }) => id));
    for (const [index, { models, voices = [], ...facts }] of providers.entries()) {
      const ours = json.providers[index];
      expect(ours).toMatchObject(facts);
      for (const model of models) expect(ours.models).toContainEqual(expect.objectContaining(model));
      for (const voice of voices) expect(ours.voices).toContainEqual(voice);
    }
  });
});

describe("the description", () => {
  it("is a valid OpenAPI 3.1 document that names every path", async () => {
    const manager = createKeyManager({ store: memoryStore(), keyring });
    const api = await Api.of(createHandler({ manager, authenticate, basePath: "" }));
    const { valid, errors } = await new Validator().validate(structuredClone(api.document) as Record<string, unknown>);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    const { paths } = api.document as { paths: object };
    expect(Object.keys(paths).sort()).toEqual(["/byok", "/byok/audit", "/byok/config", "/byok/verify"]);
  });

  it.each(["", "/v1"])("says below %j all that linters ask of an OpenAPI document", async (basePath) => {
    const handler = createHandler({
      manager: createKeyManager({ store: memoryStore(), keyring }),
      authenticate,
      basePath,
    });
    const response = await handler(new Request(`http://x${basePath}/openapi.json`));
    // biome-ignore lint/suspicious/noExplicitAny: a document has every shape.
    const document = (await response.json()) as any;
    const text = { description: expect.stringMatching(/\w/u) };
    expect(document).toMatchObject({
      info: { ...text, contact: expect.anything(), license: { name: "MIT", url: expect.stringMatching(/^https:/u) } },
      servers: [{ url: "/" }],
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    });
    const tags = document.tags.map(({ name }: { name: string }) => name);
    expect(tags).toEqual(tags.toSorted());
    for (const tag of document.tags) expect(tag).toMatchObject(text);
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const operations = Object.values(document.paths).flatMap((path: any) => Object.values(path)) as any[];
    const ids = operations.map(({ operationId }) => operationId);
    expect([new Set(ids).size, ids.includes(undefined)]).toEqual([operations.length, false]);
    for (const { parameters = [], responses, ...operation } of operations) {
      expect(operation).toMatchObject({ ...text, summary: expect.stringMatching(/\w/u) });
      expect(operation.tags.map((tag: string) => tags.includes(tag))).toEqual([true]);
      expect(Object.keys(responses)).toContain("200");
      for (const parameter of parameters) expect(parameter).toMatchObject(text);
    }
    const key = document.components.schemas.NewKey.properties.api_key;
    expect(key).toMatchObject({ type: "string", format: "password", writeOnly: true });
    const referenced = new Set(
      [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/gu)].map(([, name]) => name),
    );
    expect(Object.keys(document.components.schemas).filter((name) => !referenced.has(name))).toEqual([]);
  });

  it("and the answers have providers of the user's own", async () => {
    const store = memoryStore();
    await store.migrate();
    const cartesia = defineProvider({
      id: "cartesia",
      name: "Cartesia",
      category: "tts",
      docsUrl: "https://docs.cartesia.ai",
      serves: ["tts"],
      endpoint: { baseUrl: "https://api.cartesia.ai", websocketUrl: "wss://api.cartesia.ai" },
      models: [],
      connect: () => ({}),
    });
    const manager = createKeyManager({ store, keyring, providers: [...builtinProviders, cartesia] });
    const api = await Api.of(createHandler({ manager, authenticate }));
    const { json } = await api.send("POST", "/byok", { body: { provider: "cartesia", api_key: "own-key" } });
    expect(json.byok_keys).toMatchObject({ cartesia_secret_id: expect.any(String), openai_secret_id: null });
    expect(JSON.stringify(api.document)).toContain("cartesia_secret_id");
  });
});
