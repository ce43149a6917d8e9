import { afterEach, beforeEach, expect, it } from "vitest";
import { ByokError, createKeyring, generateKeyring, type Resolver, type ResolverOptions } from "../../src/index.ts";
import { caught } from "../support/caught.ts";
import { type HeldWorld, heldWorld } from "../support/held-world.ts";
import { waitFor } from "../support/wait-for.ts";

type Fallback = NonNullable<ResolverOptions["fallback"]>;
type Asked = Parameters<Extract<Fallback, (...failed: never[]) => unknown>>[0];

const agent = { llm_config: { provider: "openai" } } as const;
const models = "https://api.openai.com/v1/models";
let world: HeldWorld;
let asked: Asked[];

beforeEach(async () => {
  world = await heldWorld();
  asked = [];
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const open = (
  fallback: (failed: Asked) => ReturnType<Extract<Fallback, (...failed: never[]) => unknown>>,
  options = {},
): Resolver =>
  world.open({
    platformKeys: { openai: "key-of-the-platform" },
    leaseMs: 60_000,
    fallback: (failed) => {
      asked.push(failed);
      return fallback(failed);
    },
    ...options,
  });

const later = async <const T>(answer: T): Promise<T> => {
  await new Promise((resolve) => setImmediate(resolve));
  return answer;
};
/** Once `resolver` knows of a change. */
const known = async (resolver: Resolver, seq: number): Promise<void> =>
  await waitFor(() => expect(resolver.health().feed.lastSeq).toBeGreaterThanOrEqual(seq));

it("a fallback that answers later decides as one that answers at once", async () => {
  const answers = { pays: "platform", refuses: "fail", unsaid: undefined } as const;
  await using resolver = open(({ orgId }) => later(answers[orgId as keyof typeof answers]));
  expect((await resolver.resolve("pays", agent)).llm).toMatchObject({ source: "platform", reason: "absent" });
  expect((await resolver.resolve("unsaid", agent)).llm.source).toBe("platform");
  expect(await caught(resolver.resolve("refuses", agent))).toMatchObject({ code: "key_not_configured", slot: "llm" });
  expect(asked[0]).toEqual({ orgId: "pays", provider: "openai", slot: "llm", failure: "absent" });
  const told = world.events.filter(({ type }) => type === "fallback").map((event) => "orgId" in event && event.orgId);
  expect(told).toEqual(["pays", "unsaid"]);
});

it("a key that is stored while fallback is being asked serves the call", async () => {
  await using resolver: Resolver = open(async () => {
    const { seq } = await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
    await known(resolver, seq);
    return "platform" as const;
  });
  await resolver.ready();
  expect((await resolver.resolve("org", agent)).llm).toMatchObject({ source: "byok", reason: "configured" });
  expect(asked).toHaveLength(1);
});

it("a fallback is asked three times at most, and none of its answers is used past a change", async () => {
  await using resolver: Resolver = open(async () => {
    const { seq } = await world.manager.set("org", { provider: "deepgram", apiKey: `key-of-deepgram-${asked.length}` });
    await known(resolver, seq);
    return "platform" as const;
  });
  await resolver.ready();
  const failed = await caught(resolver.resolve("org", agent));
  expect(failed).toMatchObject({ code: "key_replaced", retryable: true, orgId: "org" });
  expect(asked).toHaveLength(3);
});

it("a call ends by its deadline although fallback never answers", async () => {
  await using resolver = open(() => new Promise(() => {}));
  expect((await caught(resolver.resolve("org", agent, { deadlineMs: 50 }))).code).toBe("deadline_exceeded");
});

it("a slot's requests run on one answer as long as the failure is the same", async () => {
  await using resolver = open(() => later("platform"));
  const { llm } = await resolver.resolve("org", agent);
  for (let turn = 0; turn < 5; turn += 1) await llm.fetch(models);
  const { seq } = await world.manager.set("org", { provider: "deepgram", apiKey: "key-of-deepgram" });
  await known(resolver, seq);
  await llm.fetch(models);
  expect(asked).toHaveLength(1);
  expect(world.sentKeys()).toEqual(Array(6).fill("Bearer key-of-the-platform"));
});

it("a slot's requests ask again after a lease, and end when fallback has changed its mind", async () => {
  await using resolver = open(() => later(asked.length > 1 ? "fail" : "platform"), { leaseMs: 200 });
  const { llm } = await resolver.resolve("org", agent);
  const failed = await waitFor(async () => {
    const error = await llm.fetch(models).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ByokError);
    return error;
  });
  expect(failed).toMatchObject({ code: "key_not_configured" });
  expect(new Set(world.sentKeys()).size).toBeLessThanOrEqual(1);
});

it("a slot whose key is removed runs on what fallback answers then", async () => {
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
  await world.manager.set("other", { provider: "openai", apiKey: "key-of-monday" });
  await using resolver = open(({ orgId }) => later(orgId === "org" ? "platform" : "fail"));
  const pays = (await resolver.resolve("org", agent)).llm;
  const refuses = (await resolver.resolve("other", agent)).llm;
  await world.manager.remove("org", { provider: "openai" });
  const { seq } = await world.manager.remove("other", { provider: "openai" });
  await known(resolver, seq);
  await resolver.resolve("org", agent);
  await pays.fetch(models);
  await pays.fetch(models);
  expect(await caught(refuses.fetch(models))).toMatchObject({ code: "key_revoked", orgId: "other" });
  expect(world.sentKeys()).toEqual(Array(2).fill("Bearer key-of-the-platform"));
  expect(asked.map(({ orgId }) => orgId)).toEqual(["org", "org", "other"]);
  expect(world.events).toContainEqual(
    expect.objectContaining({ type: "source_changed", orgId: "org", source: "platform" }),
  );
});

it("a key that comes after fallback has answered serves the next request", async () => {
  await using resolver = open(() => later("platform"));
  const { llm } = await resolver.resolve("org", agent);
  await llm.fetch(models);
  const { seq } = await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
  await known(resolver, seq);
  await llm.fetch(models);
  expect(world.sentKeys()).toEqual(["Bearer key-of-the-platform", "Bearer key-of-monday"]);
});

it("a request ends by its deadline when fallback never answers, and goes on nothing that it held", async () => {
  await using resolver = open(() => (asked.length > 1 ? new Promise(() => {}) : later("platform")), {
    leaseMs: 200,
    deadlineMs: 300,
  });
  const { llm } = await resolver.resolve("org", agent);
  await waitFor(async () => {
    const error = await llm.fetch(models).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: "deadline_exceeded" });
  });
});

it("a fallback that answers now at once and now later is sent on, in either case", async () => {
  await using resolver = open(({ orgId }) => (orgId === "later" ? later("platform") : "platform"));
  const slots = await Promise.all(["later", "at-once"].map(async (org) => (await resolver.resolve(org, agent)).llm));
  for (const llm of [...slots, ...slots]) expect((await llm.fetch(models)).status).toBe(200);
});

it("sockets of a removed key are closed, and say so, while fallback never answers", async () => {
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
  await using resolver = open(() => new Promise(() => {}), { deadlineMs: 100 });
  const { realtime } = await resolver.resolve("org", { realtime_config: { provider: "openai" } });
  const socket = await realtime.connect();
  const closed = new Promise((resolve) => socket.socket.once("close", resolve));
  const { signal } = realtime;
  await world.manager.remove("org", { provider: "openai" });
  await closed;
  await waitFor(() => expect(signal.reason).toMatchObject({ code: "key_revoked" }));
});

const platformAnyway: readonly (readonly [kind: string, fallback: Fallback])[] = [
  ["a table", { keyring_outdated: "platform" }],
  ["a function", () => "platform"],
  ["an asynchronous function", async () => "platform" as const],
];
it.each(
  platformAnyway,
)("where the keyring does not open a key, and %s says platform, each request is sent", async (_kind, fallback) => {
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
  const platformKeys = { openai: "key-of-the-platform" };
  const keyring = createKeyring(generateKeyring("another"));
  await using resolver = world.open({ keyring, fallback, platformKeys });
  const { llm } = await resolver.resolve("org", agent);
  for (let turn = 0; turn < 3; turn += 1) expect((await llm.fetch(models)).status).toBe(200);
  expect(new Set(world.sentKeys())).toEqual(new Set(["Bearer key-of-the-platform"]));
});

it("while the database is away a slot's requests run on one answer too", async () => {
  world.link.isDown = true;
  await using resolver = open(() => later("platform"));
  const { llm } = await resolver.resolve("org", agent);
  await llm.fetch(models);
  await llm.fetch(models);
  expect(asked.map(({ failure }) => failure)).toEqual(["store_unavailable"]);
  expect(world.sentKeys()).toEqual(Array(2).fill("Bearer key-of-the-platform"));
});
