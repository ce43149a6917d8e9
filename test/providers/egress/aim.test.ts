import { describe, expect, it } from "vitest";
import { builtinProviders, deepgram, elevenlabs, openai, resend } from "../../../src/index.ts";
import { Aim } from "../../../src/providers/egress/aim.ts";
import type { Provider } from "../../../src/providers/provider.ts";

const at = (provider: Provider, url: string, region: string | null = null): string => {
  const serving = region === null ? provider.endpoint : provider.regions?.[region];
  return new Aim(provider).at(url, serving as Provider["endpoint"], "baseUrl");
};
const thrown = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};
const refusal = (provider: Provider, url: string): unknown => thrown(() => at(provider, url));
const providers = builtinProviders as readonly Provider[];

const elsewhere: readonly (readonly [string, (base: URL) => string])[] = [
  ["another host", () => "https://evil.example/v1/models"],
  ["a host that begins like its own", ({ host }) => `https://${host}.evil.example/v1/models`],
  ["a host that ends like its own", ({ host }) => `https://evil-${host}/v1/models`],
  ["its host as user", ({ host }) => `https://${host}@evil.example/v1/models`],
  ["its host as user and password", ({ host }) => `https://${host}:443@evil.example/`],
  ["a user", ({ host }) => `https://somebody@${host}/v1/models`],
  ["a password", ({ host }) => `https://:word@${host}/v1/models`],
  ["its host as path", ({ host }) => `https://evil.example/https://${host}/v1`],
  ["its host as query", ({ host }) => `https://evil.example?https://${host}/v1`],
  ["another port", ({ host }) => `https://${host}:8443/v1/models`],
  ["plain HTTP", ({ host }) => `http://${host}/v1/models`],
  ["another scheme", ({ host }) => `ftp://${host}/v1/models`],
  ["a base that a path without a slash was put to", ({ origin }) => `${origin}id`],
  ["a backslash for a user", ({ host }) => `https://evil.example\\@${host}/`],
  ["no host", () => "/v1/models"],
  ["nothing", () => ""],
  ["a file", () => "file:///etc/passwd"],
  ["a blob", ({ origin }) => `blob:${origin}/0b1e`],
];

/** Each leads out of its folder, spelt in the ways that URLs take for one. */
const ups = ["..", ".", "%2e%2e", "%2E%2e", ".%2e", "%2e", ".\t.", "\n..", "..\r", ".\t%2\ne"];

describe.each(providers.map((provider) => [provider.id, provider] as const))("a request for %s", (_id, provider) => {
  const base = new URL(provider.endpoint.baseUrl);

  it.each(elsewhere)("to %s is refused", (_name, url) => {
    expect(refusal(provider, url(base))).toMatchObject({ code: "host_refused", provider: provider.id });
  });

  it.each(ups)("with a segment %j is refused", (segment) => {
    for (const url of [
      `${base.origin}/v1/${segment}/models`,
      `${base.origin}/v1/${segment}`,
      `${base.origin}/v1/${segment}?x=1`,
      `${base.origin}/v1/${segment}#x`,
      `${base.origin}/v1\\${segment}\\models`,
      ` ${base.origin}/v1/${segment} `,
    ]) {
      expect(refusal(provider, url), url).toMatchObject({ code: "host_refused" });
    }
  });

  it("may have dots in names, queries and fragments", () => {
    for (const rest of ["/v1/a..b", "/v1/...", "/v1/..a/x", "/v1/x?path=/../y", "/v1/x#/../y", "/v1/%2e%2ea"]) {
      expect(at(provider, `${base.origin}${rest}`)).toBe(`${base.origin}${rest}`);
    }
  });
});

describe("a region", () => {
  const regional = providers.flatMap((provider) =>
    Object.entries(provider.regions ?? {}).map(
      ([region, endpoint]) => [provider.id, region, provider, endpoint] as const,
    ),
  );

  it.each(regional)("of %s, %s, gets what was meant for any other", (_id, region, provider, endpoint) => {
    for (const { baseUrl } of [provider.endpoint, ...Object.values(provider.regions ?? {})]) {
      expect(at(provider, `${baseUrl}/models?x=1`, region)).toBe(`${endpoint.baseUrl}/models?x=1`);
    }
  });

  it("elsewhere has no voice agents' host: its own one stands in", () => {
    const url = "https://agent.deepgram.com/v1/agent";
    expect(at(deepgram, url)).toBe(url);
    expect(at(deepgram, url, "eu")).toBe("https://api.eu.deepgram.com/v1/agent");
  });
});

describe("a host that the operator declares", () => {
  const declared = { baseUrl: "http://127.0.0.1:9/openai/v1", websocketUrl: "ws://127.0.0.1:9/openai/v1" };

  it("gets what was meant for the vendor's", () => {
    const aim = new Aim(openai);
    for (const url of [
      "https://api.openai.com/v1/models",
      "https://eu.api.openai.com/v1/models",
      `${declared.baseUrl}/models`,
    ]) {
      expect(aim.at(url, declared, "baseUrl")).toBe(`${declared.baseUrl}/models`);
    }
  });

  it("gets what was meant for a host that served when the request was called", () => {
    const before = { baseUrl: "http://127.0.0.1:7/v1", websocketUrl: "ws://127.0.0.1:7/v1" };
    const aim = new Aim(openai);
    expect(aim.at("http://127.0.0.1:7/v1/models", declared, "baseUrl", before)).toBe(`${declared.baseUrl}/models`);
    expect(thrown(() => aim.at("http://127.0.0.1:7/v1/models", declared, "baseUrl"))).toMatchObject({
      code: "host_refused",
    });
  });

  it("gets nothing of a host that no longer serves", () => {
    for (const provider of [elevenlabs, resend]) {
      expect(refusal(provider, `${declared.baseUrl}/models`)).toMatchObject({ code: "host_refused" });
    }
  });
});
