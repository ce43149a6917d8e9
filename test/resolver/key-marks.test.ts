import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { byokErrorOf, type Resolver } from "../../src/index.ts";
import { KeyMarks } from "../../src/resolver/key-marks.ts";
import { caught } from "../support/caught.ts";
import { type HeldWorld, heldWorld } from "../support/held-world.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { waitFor } from "../support/wait-for.ts";

const agent = { llm_config: { provider: "openai" } } as const;
const url = "https://api.openai.com/v1/models";
const [own, platform] = ["Bearer key-of-monday", "Bearer key-of-the-platform"];
const refusal = JSON.stringify({ error: { message: "Incorrect API key.", type: "x", code: "invalid_api_key" } });

let world: HeldWorld;
let clock: ManualClock;
/** The status that the organisation's key is answered with; `null`: the connection is cut. */
let status: number | null;
/** What the answers to the organisation's key wait for. */
let held: Promise<void> | undefined;

beforeEach(async () => {
  world = await heldWorld();
  clock = new ManualClock();
  status = 200;
  held = undefined;
  world.server.answer = async ({ headers }, response) => {
    const said = headers.authorization === own ? status : 200;
    if (headers.authorization === own) await held;
    if (said === null) return void response.destroy();
    response.statusCode = said;
    response.setHeader("content-type", "application/json").end(said === 401 ? refusal : "{}");
  };
  await world.manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const open = (rejected: "platform" | "fail" = "platform"): Resolver =>
  world.open({ platformKeys: { openai: "key-of-the-platform" }, fallback: { rejected } }, clock);
const count = (key: string): number => world.sentKeys().filter((sent) => sent === key).length;
const times = (type: string): number => world.events.filter((event) => event.type === type).length;

describe("a marked key", () => {
  it("is tried by one request after thirty seconds, and by nobody before", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    clock.pauseProcess(29_999);
    await llm.fetch(url);
    expect(count(own)).toBe(1);
    clock.pauseProcess(1);
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const trying = llm.fetch(url);
    await waitFor(() => expect(count(own)).toBe(2));
    expect((await Promise.all(Array.from({ length: 20 }, () => llm.fetch(url)))).map((one) => one.status)).toEqual(
      Array(20).fill(200),
    );
    expect(count(own)).toBe(2);
    resolve();
    expect((await trying).status).toBe(200);
    await llm.fetch(url);
    expect([count(own), times("key_refused"), times("key_recovered")]).toEqual([2, 1, 0]);
  });

  it("serves again once the request that tries it has succeeded", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    status = 200;
    clock.pauseProcess(30_000);
    for (let request = 0; request < 3; request += 1) await llm.fetch(url);
    expect([count(own), count(platform), times("key_recovered")]).toEqual([4, 1, 1]);
  });

  it("is tried again while the database is away, and serves again", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    status = 200;
    world.link.isDown = true;
    clock.pauseProcess(30_000);
    for (let request = 0; request < 3; request += 1) await llm.fetch(url);
    expect([count(own), count(platform), resolver.health().lease.leftMs]).toEqual([4, 1, 0]);
  });

  it("shows its owner how it stands, and the audit trail has each state once", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const isStatus = async (wanted: string): Promise<void> =>
      await waitFor(async () => expect(await world.manager.describe("org")).toMatchObject([{ status: wanted }]));
    for (let times = 0; times < 2; times += 1) {
      status = 401;
      await llm.fetch(url);
      await isStatus("rejected");
      status = 200;
      clock.pauseProcess(30_000);
      await llm.fetch(url);
      await isStatus("ok");
    }
    const { entries } = await world.manager.audit("org");
    const observed = entries.filter(({ action }) => action === "observed");
    expect(observed.map(({ verdict }) => verdict)).toEqual(["passed", "invalid"]);
  });

  it("that a check has taken meanwhile is noted again as it is refused again", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    const isRejected = async (): Promise<void> =>
      await waitFor(async () => expect(await world.manager.describe("org")).toMatchObject([{ status: "rejected" }]));
    await isRejected();
    const ref = { orgId: "org", provider: "openai", name: "default", secretId: llm.secretId as string };
    await world.link.noteCheck({ ...ref, actor: null, verdict: "passed" });
    clock.pauseProcess(30_000);
    await llm.fetch(url);
    await isRejected();
  });

  it("disturbs no slot that runs on the platform's while it is tried, until it was taken", async () => {
    await using resolver = open();
    const { llm: first } = await resolver.resolve("org", agent);
    status = 401;
    await first.fetch(url);
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    const changes = times("source_changed");
    clock.pauseProcess(30_000);
    await llm.fetch(url);
    await llm.fetch(url);
    expect([count(own), signal.aborted, times("source_changed")]).toEqual([2, false, changes]);
    status = 200;
    clock.pauseProcess(30_000);
    await llm.fetch(url);
    expect(signal.aborted).toBe(false);
    await llm.fetch(url);
    expect(signal.aborted).toBe(true);
    expect(world.events.filter(({ type }) => type === "source_changed").slice(changes)).toMatchObject([
      { source: "byok", secretId: first.secretId },
    ]);
  });

  it("stays marked when a request succeeds that was sent before", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const early = llm.fetch(url);
    await waitFor(() => expect(count(own)).toBe(1));
    held = undefined;
    status = 401;
    await llm.fetch(url);
    status = 200;
    resolve();
    expect((await early).status).toBe(200);
    await llm.fetch(url);
    expect([count(own), times("key_recovered")]).toEqual([2, 0]);
  });

  it.each([503, 429, null])("is tried by the next request where the first was told %s", async (said) => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    clock.pauseProcess(30_000);
    status = said;
    await llm.fetch(url, { method: "POST" }).catch(() => {});
    expect(times("key_recovered")).toBe(0);
    status = 200;
    await llm.fetch(url);
    expect(times("key_recovered")).toBe(1);
  });

  it("is tried by a request with a connection that is lost and opened anew", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    clock.pauseProcess(30_000);
    const { answer } = world.server;
    world.server.answer = (_request, response) => {
      response.destroy();
      status = 200;
      world.server.answer = answer;
    };
    expect((await llm.fetch(url)).status).toBe(200);
    expect([count(own), count(platform), times("key_recovered")]).toEqual([3, 1, 1]);
  });

  it("is tried again although the request that tried it was never heard of again", async () => {
    const marks = new KeyMarks(clock, 10);
    marks.mark("secret", "rejected");
    clock.pauseProcess(30_000);
    marks.leave("secret", {});
    expect(marks.failureOf("secret")).toBe("rejected");
    clock.pauseProcess(30_000);
    expect(marks.failureOf("secret")).toBeUndefined();
  });

  it("fails the calls that it would serve, where nothing may stand in, and serves the first one after that time", async () => {
    await using resolver = open("fail");
    const { llm } = await resolver.resolve("org", agent);
    status = 401;
    await llm.fetch(url);
    const error = await caught(resolver.resolve("org", agent));
    expect(byokErrorOf(error)).toMatchObject({ code: "key_rejected", slot: "llm", retryable: false });
    clock.pauseProcess(30_000);
    status = 200;
    const later = await resolver.resolve("org", agent);
    expect((await later.llm.fetch(url)).status).toBe(200);
    expect(count(platform)).toBe(0);
  });

  it("is one of a bounded number: the oldest mark is forgotten", () => {
    const marks = new KeyMarks(clock, 2);
    for (const secretId of ["one", "two", "three"]) marks.mark(secretId, "exhausted");
    expect(["one", "two", "three"].map((secretId) => marks.failureOf(secretId))).toEqual([
      undefined,
      "exhausted",
      "exhausted",
    ]);
  });
});
