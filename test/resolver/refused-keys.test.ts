import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { byokErrorOf, openai, type ResolverEvent } from "../../src/index.ts";
import { type HeldWorld, heldWorld } from "../support/held-world.ts";
import { waitFor } from "../support/wait-for.ts";

const agent = { llm_config: { provider: "openai" } } as const;
const chat = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "Hello" }] };
const platformKeys = { openai: "key-of-the-platform" };
const url = "https://api.openai.com/v1/chat/completions";

/** What OpenAI says of a key, with the statuses that it gives. */
const words = {
  rejected: [401, { error: { message: "Incorrect API key provided.", type: "x", code: "invalid_api_key" } }],
  exhausted: [429, { error: { message: "You exceeded your current quota.", type: "x", code: "insufficient_quota" } }],
  busy: [429, { error: { message: "Rate limit reached.", type: "requests", code: "rate_limit_exceeded" } }],
  model: [403, { error: { message: "Project does not have access to model `x`", type: "x", code: "model_not_found" } }],
} as const;

let world: HeldWorld;
/** What is refused, by key. */
let refused: Map<string, keyof typeof words>;

beforeEach(async () => {
  world = await heldWorld();
  refused = new Map();
  world.server.answer = ({ headers }, response) => {
    const said = refused.get(`${headers.authorization}`.replace("Bearer ", ""));
    const [status, body] = said === undefined ? ([200, { choices: [] }] as const) : words[said];
    if (said === "busy") response.setHeader("retry-after", "7");
    response.statusCode = status;
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  };
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

function told<T extends ResolverEvent["type"]>(type: T): Extract<ResolverEvent, { type: T }>[] {
  return world.events.filter((event): event is Extract<ResolverEvent, { type: T }> => event.type === type);
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a key that its provider refuses", () => {
  it("is not sent again while a newer one is stored: the request is sent with that, and its caller hears nothing", async () => {
    await using resolver = world.open({ leaseMs: 60_000, pollMs: 30_000 });
    const { llm } = await resolver.resolve("org", agent);
    await llm.client.chat.completions.create(chat);
    refused.set("key-of-monday", "rejected");
    await world.manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    await llm.client.chat.completions.create(chat);
    await llm.client.chat.completions.create(chat);
    const keys = ["key-of-monday", "key-of-monday", "key-of-tuesday", "key-of-tuesday"];
    expect(world.sentKeys()).toEqual(keys.map((key) => `Bearer ${key}`));
    expect(told("key_refused")).toEqual([]);
  });

  it.each([
    "rejected",
    "exhausted",
  ] as const)("and is %s fails typed by default, as an answer that nothing sends again", async (failure) => {
    await using resolver = world.open({ platformKeys });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", failure);
    const error = await caught(llm.client.chat.completions.create(chat));
    expect(error).toMatchObject({ status: failure === "rejected" ? 401 : 402 });
    expect(byokErrorOf(error)).toMatchObject({ code: `key_${failure}`, orgId: "org", provider: "openai", slot: "llm" });
    expect(byokErrorOf(error)?.retryable).toBe(false);
    const answer = await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) });
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([
      failure === "rejected" ? 401 : 402,
      "false",
    ]);
    expect(world.server.arrived).toHaveLength(1);
    const reason = failure === "rejected" ? "wrong_key" : "no_quota";
    const facts = { orgId: "org", provider: "openai", slot: "llm", secretId: llm.secretId, failure, reason };
    expect(told("key_refused")).toEqual([{ type: "key_refused", ...facts }]);
  });

  it.each([
    "rejected",
    "exhausted",
  ] as const)("and is %s is replaced by the platform's where the operator says so, in the same request", async (failure) => {
    await using resolver = world.open({ platformKeys, fallback: { [failure]: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", failure);
    await llm.client.chat.completions.create(chat);
    await llm.client.chat.completions.create(chat);
    const keys = ["key-of-monday", "key-of-the-platform", "key-of-the-platform"];
    expect(world.sentKeys()).toEqual(keys.map((key) => `Bearer ${key}`));
    const facts = { orgId: "org", provider: "openai", slot: "llm", source: "platform", secretId: null };
    expect(told("source_changed")).toEqual([{ type: "source_changed", ...facts, failure }]);
    const later = await resolver.resolve("org", agent);
    expect(later.llm).toMatchObject({ source: "platform", reason: failure });
    expect(told("request").map(({ status }) => status)).toEqual([failure === "rejected" ? 401 : 429, 200, 200]);
  });

  it("decides by the operator's function, asynchronous or not", async () => {
    const asked: unknown[] = [];
    const fallback = async (failed: { readonly failure: string }) => {
      asked.push(failed.failure);
      return "platform" as const;
    };
    await using resolver = world.open({ platformKeys, fallback });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    await llm.client.chat.completions.create(chat);
    await llm.client.chat.completions.create(chat);
    expect(world.sentKeys().slice(1)).toEqual(["Bearer key-of-the-platform", "Bearer key-of-the-platform"]);
    expect(new Set(asked)).toEqual(new Set(["rejected"]));
  });

  it.each(["busy", "model"] as const)("for %s alone is not marked, and its answer is the caller's", async (said) => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform", exhausted: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", said);
    const answer = await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) });
    const [status, body] = words[said];
    expect([answer.status, await answer.json()]).toEqual([status, body]);
    if (said === "busy") expect(answer.headers.get("retry-after")).toBe("7");
    await (await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) })).text();
    expect(new Set(world.sentKeys())).toEqual(new Set(["Bearer key-of-monday"]));
    expect(told("key_refused")).toEqual([]);
  });

  it("starts clean once it is replaced", async () => {
    await using resolver = world.open();
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    await caught(llm.client.chat.completions.create(chat));
    const { seq } = await world.manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    await resolver.resolve("org", agent, { atLeast: seq });
    await llm.client.chat.completions.create(chat);
    expect(world.sentKeys().at(-1)).toBe("Bearer key-of-tuesday");
  });

  it("five hundred calls at once cost no request each beyond their own, and one event", async () => {
    const limits = { leaseMs: 60_000, pollMs: 30_000 };
    await using resolver = world.open({ ...limits, platformKeys, fallback: { rejected: "platform" } });
    const calls = await Promise.all(Array.from({ length: 500 }, async () => await resolver.resolve("org", agent)));
    refused.set("key-of-monday", "rejected");
    const { polls, snapshots } = world.link.sent;
    const send = async ({ llm }: (typeof calls)[number]): Promise<number> =>
      (await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) })).status;
    expect(new Set(await Promise.all(calls.map(send)))).toEqual(new Set([200]));
    const own = world.sentKeys().filter((key) => key === "Bearer key-of-monday").length;
    expect(own).toBeLessThanOrEqual(500);
    expect(world.server.arrived).toHaveLength(own + 500);
    expect(new Set(await Promise.all(calls.map(send)))).toEqual(new Set([200]));
    expect(world.server.arrived).toHaveLength(own + 1_000);
    expect(told("key_refused")).toHaveLength(1);
    expect(world.link.sent).toMatchObject({ polls: polls + 1, snapshots });
  });

  it("is refused although the database is away: nothing newer can be known, and the policy holds", async () => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" }, deadlineMs: 10_000 });
    const { llm } = await resolver.resolve("org", agent);
    world.link.isDown = true;
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
    refused.set("key-of-monday", "rejected");
    await llm.client.chat.completions.create(chat);
    await llm.client.chat.completions.create(chat);
    const keys = ["key-of-monday", "key-of-the-platform", "key-of-the-platform"];
    expect(world.sentKeys()).toEqual(keys.map((key) => `Bearer ${key}`));
  });
});

it("a table of anybody's that throws changes no answer", async () => {
  const read = (): never => {
    throw new Error("It reads what is not there.");
  };
  const providers = [{ ...openai, refusals: { read, known: [] } }];
  await using resolver = world.open({ providers, platformKeys, fallback: { exhausted: "platform" } });
  const { llm } = await resolver.resolve("org", agent);
  refused.set("key-of-monday", "busy");
  const answer = await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) });
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "7"]);
  expect((await llm.renew({ statusCode: 429, body: words.exhausted[1] })).source).toBe("byok");
});

describe("a key that is refused while the database is away", () => {
  it("and its policy is one that answers later, is sent once", async () => {
    const fallback = async ({ failure }: { readonly failure: string }) =>
      failure === "rejected" ? ("platform" as const) : ("fail" as const);
    await using resolver = world.open({ platformKeys, fallback, deadlineMs: 10_000 });
    const { llm } = await resolver.resolve("org", agent);
    world.link.isDown = true;
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
    refused.set("key-of-monday", "rejected");
    await caught(llm.fetch(url, { method: "POST", body: JSON.stringify(chat) }));
    await caught(llm.fetch(url, { method: "POST", body: JSON.stringify(chat) }));
    const keys = ["key-of-monday", "key-of-the-platform", "key-of-the-platform"];
    expect(world.sentKeys()).toEqual(keys.map((key) => `Bearer ${key}`));
  });
});

describe("the platform's key, refused", () => {
  it("marks no organisation, is the operator's, and is told once", async () => {
    await using resolver = world.open({ platformKeys });
    refused.set("key-of-the-platform", "exhausted");
    const { llm } = await resolver.resolve("other", agent);
    for (let times = 0; times < 3; times += 1) {
      const error = await caught(llm.client.chat.completions.create(chat));
      expect(byokErrorOf(error)).toMatchObject({ code: "platform_key_refused", retryable: false, provider: "openai" });
      expect(byokErrorOf(error)?.message).not.toContain("organisation's");
    }
    expect(world.server.arrived).toHaveLength(3);
    const facts = { orgId: "other", provider: "openai", slot: "llm", failure: "exhausted", reason: "no_quota" };
    expect(told("platform_key_refused")).toEqual([{ type: "platform_key_refused", ...facts }]);
    expect(told("key_refused")).toEqual([]);
    refused.clear();
    await llm.client.chat.completions.create(chat);
  });

  it("is the last that a request is sent with", async () => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected").set("key-of-the-platform", "rejected");
    const error = await caught(llm.client.chat.completions.create(chat));
    expect(byokErrorOf(error)).toMatchObject({ code: "platform_key_refused" });
    expect(world.server.arrived).toHaveLength(2);
  });
});

describe("what is sent again with another key", () => {
  const bodies: readonly (readonly [string, () => NonNullable<RequestInit["body"]>])[] = [
    ["a text", () => "spoken"],
    ["bytes", () => new TextEncoder().encode("spoken")],
    ["a buffer", () => new TextEncoder().encode("spoken").buffer],
    ["a form's fields", () => new URLSearchParams({ spoken: "yes" })],
    ["a Blob", () => new Blob(["spoken"])],
    ["a form", () => new FormData()],
  ];

  it.each(bodies)("is %s", async (_name, make) => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    const answer = await llm.fetch(url, { method: "POST", body: make() });
    expect(answer.status).toBe(200);
    const [first, second] = world.server.arrived;
    const plain = (text = ""): string => text.replaceAll(/-{4}[^\r]*/gu, "");
    expect(plain(second?.body)).toBe(plain(first?.body));
  });

  const once: readonly (readonly [string, () => [string | Request, RequestInit?]])[] = [
    ["a stream", () => [url, { method: "POST", body: new Blob(["spoken"]).stream(), duplex: "half" } as RequestInit]],
    ["a Request with a body", () => [new Request(url, { method: "POST", body: "spoken" })]],
  ];

  it.each(once)("is not %s: it fails typed, and is served when it is asked for again", async (_name, make) => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    expect(await caught(llm.fetch(...make()))).toMatchObject({ code: "key_replaced", retryable: true });
    expect(world.server.arrived).toHaveLength(1);
    expect((await llm.fetch(...make())).status).toBe(200);
  });

  it.each([
    { previous_response_id: "resp_1" },
    { input: [{ content: [{ type: "input_file", file_id: "file-1" }] }] },
    { tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] },
    { model: "ft:gpt-4o-mini:acme::1" },
  ])("is nothing that names what one account has: %j", async (named) => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    const responses = "https://api.openai.com/v1/responses";
    const answer = await llm.fetch(responses, { method: "POST", body: JSON.stringify(named) });
    expect(answer.status).toBe(401);
    expect(byokErrorOf(await answer.json())).toMatchObject({ code: "key_rejected" });
    const again = await llm.fetch(responses, { method: "POST", body: JSON.stringify(named) });
    expect(again.status).toBe(401);
    expect(world.server.arrived).toHaveLength(1);
    const { llm: other } = await resolver.resolve("other", agent);
    const absent = await other.fetch(responses, { method: "POST", body: JSON.stringify(named) });
    expect(absent.status).toBe(200);
  });

  const named = JSON.stringify({ previous_response_id: "resp_1" });
  const json = { "content-type": "application/json" };
  const responses = "https://api.openai.com/v1/responses";
  const hidden: readonly (readonly [string, () => [string | Request, RequestInit?]])[] = [
    ["a Request's body", () => [new Request(responses, { method: "POST", body: named, headers: json })]],
    ["a Blob", () => [responses, { method: "POST", body: new Blob([named], { type: "application/json" }) }]],
    [
      "a stream",
      () => [
        responses,
        { method: "POST", body: new Blob([named]).stream(), headers: json, duplex: "half" } as RequestInit,
      ],
    ],
  ];

  it.each(hidden)("is no JSON that is not at hand, as in %s", async (_name, make) => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    await llm.fetch(url, { method: "POST", body: JSON.stringify(chat) });
    const { length } = world.server.arrived;
    expect((await llm.fetch(...make())).status).toBe(401);
    expect(world.server.arrived).toHaveLength(length);
  });

  it("is a body of another type that is not at hand", async () => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    const audio = new Blob(["spoken"], { type: "audio/wav" });
    expect((await llm.fetch(url, { method: "POST", body: audio })).status).toBe(200);
  });

  it("is no form that names a model which the customer has trained", async () => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    const form = new FormData();
    form.set("model", "ft:whisper:acme::1");
    expect((await llm.fetch(url, { method: "POST", body: form })).status).toBe(401);
    expect(world.server.arrived).toHaveLength(1);
  });

  it("is what only speaks of it", async () => {
    await using resolver = world.open({ platformKeys, fallback: { rejected: "platform" } });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    const body = JSON.stringify({
      input: 'Say "previous_response_id": "x" and "file_id": "y".',
      previous_response_id: null,
    });
    const answer = await llm.fetch("https://api.openai.com/v1/responses", { method: "POST", body });
    expect(answer.status).toBe(200);
  });

  it("is what names it, with a newer key of its own account", async () => {
    await using resolver = world.open({ leaseMs: 60_000, pollMs: 30_000 });
    const { llm } = await resolver.resolve("org", agent);
    refused.set("key-of-monday", "rejected");
    await world.manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    const body = JSON.stringify({ previous_response_id: "resp_1" });
    const answer = await llm.fetch("https://api.openai.com/v1/responses", { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(world.sentKeys()).toEqual(["Bearer key-of-monday", "Bearer key-of-tuesday"]);
  });
});
