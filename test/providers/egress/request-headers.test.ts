import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { builtinProviders, deepgram, elevenlabs, openai, resend, xai } from "../../../src/index.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { type RecordingServer, recordingServer } from "../../support/recording-server.ts";

const key = "customer-key-0123456789";
const leak = "PLATFORM-LEAK";
let server: RecordingServer;

beforeEach(async () => {
  server = await recordingServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Headers that have carried a credential or named an account, and some that nobody knows. */
const foreign = [
  "Authorization",
  "api-key",
  "apikey",
  "Cookie",
  "openai-organization",
  "openai-project",
  "proxy-authorization",
  "xi-api-key",
  "x-api-key",
  "x-auth-token",
  "x-goog-api-key",
  "x-amz-security-token",
  "anthropic-api-key",
  "x-anything",
  "x-forwarded-for",
  "x-stainlessly",
  "dgx-key",
  "openai-betas",
];

const known: Readonly<Record<string, readonly string[]>> = {
  openai: ["openai-beta", "openai-poll-after-ms", "x-client-request-id", "x-openai-agents-sdk", "x-stainless-lang"],
  xai: ["openai-beta", "x-stainless-retry-count"],
  deepgram: ["dg-project", "x-deepgram-session-id", "x-fern-language"],
  elevenlabs: ["x-fern-sdk-name"],
  resend: ["x-batch-validation"],
};

const everybodys = [
  "accept",
  "content-language",
  "idempotency-key",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-request-id",
];

const presented = (provider: Provider): object =>
  ({
    openai: { authorization: `Bearer ${key}` },
    xai: { authorization: `Bearer ${key}` },
    deepgram: { authorization: `Token ${key}` },
    elevenlabs: { "xi-api-key": key },
    resend: { authorization: `Bearer ${key}` },
  })[provider.id] as object;

const forms: readonly (readonly [string, (headers: Record<string, string>) => NonNullable<RequestInit["headers"]>])[] =
  [
    ["an object", (headers) => headers],
    ["Headers", (headers) => new Headers(headers)],
    ["pairs", (headers) => Object.entries(headers)],
  ];

const providers = (builtinProviders as readonly Provider[]).map((provider) => [provider.id, provider] as const);

describe.each(providers)("a request for %s", (id, provider) => {
  it.each(forms)("given %s carries the key and no other credential", async (_name, form) => {
    const { fetch: send } = egressOf(provider, serving(key, server.origin));
    const allowed = [...everybodys, ...(known[id] ?? [])];
    const all = [...foreign, ...foreign.map((name) => name.toUpperCase()).slice(1, 2), ...allowed];
    await send(`${server.origin}/path`, { headers: form(Object.fromEntries(all.map((name) => [name, leak]))) });
    const headers = server.arrived[0]?.headers ?? {};
    expect(headers).toMatchObject(presented(provider));
    const carried = Object.keys(headers).filter((name) => String(headers[name]).includes(leak));
    expect(carried.sort()).toEqual(allowed.sort());
  });

  it("in a Request carries the same", async () => {
    const { fetch: send } = egressOf(provider, serving(key, server.origin));
    const headers = Object.fromEntries(
      ["authorization", "x-anything", "xi-api-key", "user-agent"].map((name) => [name, leak]),
    );
    await send(new Request(`${server.origin}/path`, { method: "PUT", body: "hello", headers }));
    expect(server.arrived[0]).toMatchObject({ method: "PUT", body: "hello", headers: presented(provider) });
    expect(Object.values(server.arrived[0]?.headers ?? {}).filter((value) => value === leak)).toHaveLength(1);
  });
});

it("a query carries no credential, and everything else as it was written", async () => {
  const { fetch: send, placeholder } = egressOf(openai, serving(key, server.origin));
  const query = `a=1%2B1&api_key=${leak}&token=${leak}&b=${placeholder}&access_token=${leak}&keyterm=x&a=2`;
  await send(`${server.origin}/v1/models?${query}#api_key`);
  await send(`${server.origin}/v1/models?key=${leak}`);
  expect(server.arrived.map(({ url }) => url)).toEqual(["/v1/models?a=1%2B1&keyterm=x&a=2", "/v1/models"]);
});

describe("a header that the application sets", () => {
  it.each([openai, xai])("for $id in OPENAI_CUSTOM_HEADERS does not arrive", async (provider) => {
    const { OpenAI } = await import("openai");
    const { fetch: send, placeholder, baseUrl } = egressOf(provider as Provider, serving(key, server.origin));
    process.env["OPENAI_CUSTOM_HEADERS"] =
      `Authorization: Bearer ${leak}\nOpenAI-Organization: ${leak}\nX-Other: ${leak}`;
    try {
      // The SDK as anybody would build it: nothing of byokit's but the three.
      const client = new OpenAI({ apiKey: placeholder, baseURL: baseUrl, fetch: send, organization: leak });
      await client.models.list();
    } finally {
      delete process.env["OPENAI_CUSTOM_HEADERS"];
    }
    expect(JSON.stringify(server.arrived)).not.toContain(leak);
    expect(server.arrived[0]?.headers.authorization).toBe(`Bearer ${key}`);
  });

  it("is not a placeholder's either", async () => {
    for (const provider of [openai, deepgram, elevenlabs, resend] as readonly Provider[]) {
      const { fetch: send, placeholder } = egressOf(provider, serving(key, server.origin));
      const headers = { authorization: placeholder, "xi-api-key": placeholder };
      await send(`${server.origin}/path`, { headers });
    }
    expect(JSON.stringify(server.arrived)).not.toContain("byokit-placeholder");
  });
});
