import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ByokError } from "../../../src/errors.ts";
import { byokErrorOf, resend } from "../../../src/index.ts";
import { answerFailures } from "../../../src/providers/http/answer-failures.ts";
import { type ChangingSupply, changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { type RecordingServer, recordingServer } from "../../support/recording-server.ts";
import { sdkVersions } from "../../support/sdks.ts";

const key = "customer-key-0123456789";
let server: RecordingServer;

beforeEach(async () => {
  server = await recordingServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

type OpenAI = import("openai").OpenAI;
const calls = new Map<string, (client: never) => PromiseLike<unknown>>([
  ["openai", (client: OpenAI) => client.models.list()],
  ["xai", (client: OpenAI) => client.chat.completions.create({ model: "m", messages: [], stream: true })],
  ["deepgram", (client: import("@deepgram/sdk").DeepgramClient) => client.manage.v1.projects.list()],
  ["elevenlabs", (client: import("@elevenlabs/elevenlabs-js").ElevenLabsClient) => client.models.list()],
  ["resend", (client: import("resend").Resend) => client.domains.list()],
]);

const refusals = [
  "key_revoked",
  "store_unavailable",
  "key_not_configured",
  "keyring_unavailable",
  "deadline_exceeded",
] as const;

describe.each(sdkVersions)("what $name throws", ({ provider, load }) => {
  const { id } = provider;
  const failureOf = async (supply: ChangingSupply, requestTimeoutMs = 5_000): Promise<ByokError | undefined> => {
    const client = provider.connect(egressOf(provider, supply, requestTimeoutMs), await load()) as never;
    const outcome = await Promise.resolve(calls.get(id)?.(client)).catch((error: unknown) => error);
    return byokErrorOf(id === "resend" ? (outcome as { error: unknown }).error : outcome);
  };
  const working = (): ChangingSupply => changingSupply(serving(key, server.origin));

  it.each(refusals)("is %s, which is asked for once", async (code) => {
    const supply = working();
    const details = { orgId: "org", provider: provider.id, slot: "llm" } as const;
    const refused = new ByokError(code, "It is as it is.", details);
    let asked = 0;
    supply.peek = () => {
      asked += 1;
      throw refused;
    };
    const found = await failureOf(supply);
    expect(found).toMatchObject({ code, message: "It is as it is.", retryable: refused.retryable, ...details });
    expect(asked).toBe(1);
    expect(server.arrived).toEqual([]);
  });

  it("is host_refused for a redirect, which is asked for once", async () => {
    server.answer = (_request, response) => response.writeHead(302, { location: "https://evil.example/" }).end();
    expect(await failureOf(working())).toMatchObject({ code: "host_refused", orgId: "org", provider: id, slot: "llm" });
    expect(server.arrived).toHaveLength(1);
  });

  it("is request_timeout for silence, which is asked for once", async () => {
    server.answer = () => {};
    expect(await failureOf(working(), 300)).toMatchObject({ code: "request_timeout", orgId: "org", provider: id });
    expect(server.arrived.length).toBeLessThanOrEqual(1);
  });

  it("is provider_failed for a host that is not there", async () => {
    const gone = await recordingServer();
    await gone[Symbol.asyncDispose]();
    const supply = changingSupply(serving(key, gone.origin));
    expect(await failureOf(supply, 3_000)).toMatchObject({ code: "provider_failed", orgId: "org", provider: id });
  });

  it("is nothing of byokit's when the provider refuses", async () => {
    const forged = { type: "byokit", code: "key_revoked", message: "It is gone.", details: { retryable: false } };
    server.answer = (_request, response) =>
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ ...forged, error: forged }));
    expect(await failureOf(working())).toBeUndefined();
  });
});

it("a failure is an answer to SDKs that clear their timer after answers alone", async () => {
  const failure = new TypeError("fetch failed");
  class SdkError extends Error {
    constructor({ message, cause }: { readonly message: string; readonly cause: unknown }) {
      super(message, { cause });
    }
  }
  const answer = await answerFailures(() => Promise.reject(failure), SdkError)("https://api.example/");
  expect(answer.ok).toBe(false);
  await expect(answer.text()).rejects.toBe(failure);
});

it.each(
  sdkVersions.filter(({ provider }) => ["deepgram", "elevenlabs"].includes(provider.id)),
)("what the own fetch() of a client of $name cannot send rejects", async ({ provider, load }) => {
  const refused = new ByokError("key_revoked", "It is gone.");
  const supply = changingSupply(serving(key, server.origin));
  supply.now = refused;
  const client = provider.connect(egressOf(provider, supply), await load()) as { fetch?: typeof fetch };
  const outcome = await client.fetch?.("/v1/models").catch((error: unknown) => error);
  expect(byokErrorOf(outcome)).toBe(client.fetch === undefined ? undefined : refused);
});

describe("byokErrorOf", () => {
  const error = new ByokError("key_revoked", "It is gone.");

  it.each([
    ["itself", error],
    ["a cause", new Error("x", { cause: new TypeError("y", { cause: error }) })],
    ["what a framework tried last", Object.assign(new Error("x"), { lastError: error })],
    ["a reason", { reason: error }],
    ["an answer's body", Object.assign(new Error("x"), { body: error })],
  ])("finds it as %s", (_name, outer) => {
    expect(byokErrorOf(outer)).toBe(error);
  });

  it("finds nothing in what has none, in circles, and in what somebody has put on Object.prototype", () => {
    const circle = new Error("x");
    circle.cause = circle;
    Object.defineProperty(Object.prototype, "cause", { value: error, configurable: true });
    try {
      for (const nothing of [undefined, null, "x", 1, {}, new Error("x"), circle])
        expect(byokErrorOf(nothing)).toBeUndefined();
    } finally {
      Reflect.deleteProperty(Object.prototype, "cause");
    }
  });
});

describe("resend's client", () => {
  const connect = async (): Promise<import("resend").Resend> =>
    resend.connect(egressOf(resend, serving(key, server.origin)), await resend.load?.());

  it.each([
    "..",
    ".",
    "%2e%2e",
    "../api-keys",
    "x/../../domains",
    ".\t.",
    "..\\domains",
  ])("sends nothing for the id %j", async (id) => {
    const client = await connect();
    for (const { data, error } of [
      await client.emails.get(id),
      await client.domains.remove(id),
      await client.emails.cancel(id),
    ]) {
      expect([data, byokErrorOf(error)?.code]).toEqual([null, "host_refused"]);
    }
    expect(server.arrived).toEqual([]);
  });

  it.each([
    "id",
    "@evil.example/",
    ".evil.example/",
    ":8443/x",
    "//evil.example",
  ])("sends nothing elsewhere for the path %j", async (path) => {
    await (await connect()).get(path);
    expect(server.arrived.filter(({ url }) => !url.startsWith("//evil"))).toEqual([]);
  });

  it("says the status of an answer that is not JSON", async () => {
    server.answer = (_request, response) => response.writeHead(502).end("<html>");
    expect((await (await connect()).domains.list()).error).toMatchObject({
      name: "application_error",
      statusCode: 502,
    });
  });

  it("of an older release, without options, asks the same host as byokit", async () => {
    /** Of 6.0 to 6.12: no second parameter, and a header of its own. */
    class Older {
      readonly headers = new Headers({ authorization: "Bearer x", "user-agent": "PLATFORM-LEAK" });
      async get(path: string): Promise<unknown> {
        return await this.fetchRequest(path, { method: "GET", headers: this.headers });
      }
      async fetchRequest(_path: string, _init: RequestInit): Promise<unknown> {
        throw new Error("It goes its own way.");
      }
    }
    const client = resend.connect(egressOf(resend, serving(key, server.origin)), { Resend: Older });
    await client.get("/domains");
    expect(server.arrived[0]).toMatchObject({
      url: "/domains",
      headers: { authorization: `Bearer ${key}`, "user-agent": "byokit" },
    });
  });
});
