import type OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { byokErrorOf } from "../../../src/byok-error-of.ts";
import { openai } from "../../../src/providers/openai.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { type RecordingServer, recordingServer } from "../../support/recording-server.ts";
import { marker, poisonedEnvironment } from "../poisoned-environment.ts";

let server: RecordingServer;
const build = async (requestTimeoutMs: number): Promise<OpenAI> => {
  const egress = egressOf(openai, serving("customer-key-0123456789", `${server.origin}/v1`), requestTimeoutMs);
  return openai.connect(egress, await openai.load?.());
};
const failure = async (work: PromiseLike<unknown>): Promise<unknown> =>
  await Promise.resolve(work).then(
    () => expect.fail("It did not fail."),
    (error: unknown) => error,
  );

beforeEach(async () => {
  for (const [name, value] of Object.entries(poisonedEnvironment)) vi.stubEnv(name, value);
  server = await recordingServer();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server[Symbol.asyncDispose]();
});

describe("the platform's", () => {
  it.each([
    "adminAPIKey",
    "webhookSecret",
    "organization",
    "project",
  ] as const)("%s is not taken over", async (name) => {
    const client = await build(5_000);
    for (const one of [client, client.withOptions({ timeout: 1_000 })]) expect(one[name]).toBeNull();
  });

  it("admin key does not stand in for the customer's on an admin endpoint", async () => {
    const client = await build(5_000);
    await failure(client.admin.organization.projects.list());
    expect(JSON.stringify(server.arrived)).not.toContain(marker);
  });

  it("log setting prints no request of a customer", async () => {
    const printed = (["debug", "info", "log", "warn", "error"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => {}),
    );
    const client = await build(5_000);
    await client.models.list();
    await client.withOptions({}).models.list();
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });
});

describe("a request", () => {
  const requests = [
    ["of one answer", (client: OpenAI) => client.chat.completions.create({ model: "m", messages: [] })],
    ["of a list", (client: OpenAI) => client.models.list()],
  ] as const;

  it("to another host ends at once, typed, and does not leave", async () => {
    await using other = await recordingServer();
    const client = await build(5_000);
    const error = await failure(client.get(`${other.origin}/v1/models`));
    expect(byokErrorOf(error)).toMatchObject({ code: "host_refused", provider: "openai", retryable: false });
    expect(other.arrived).toEqual([]);
  });

  it.each(requests)("%s that nobody answers takes one budget, retries included", async (_name, call) => {
    server.answer = () => {};
    const error = await failure(call(await build(1_500)));
    expect(byokErrorOf(error)).toMatchObject({ code: "request_timeout", provider: "openai", retryable: true });
    expect(server.arrived).toHaveLength(1);
  });

  it("with a shorter time-out of its own names that one", async () => {
    server.answer = () => {};
    const client = await build(60_000);
    const error = await failure(client.models.list({ timeout: 120 }));
    expect(error).toMatchObject({ code: "request_timeout", message: expect.stringContaining("120 ms") });
  });

  it("that fails for a moment is tried again", async () => {
    server.answer = (_request, response) => {
      response.statusCode = server.arrived.length === 1 ? 503 : 200;
      response.setHeader("content-type", "application/json").end('{"data":[]}');
    };
    await (await build(10_000)).models.list();
    expect(server.arrived).toHaveLength(2);
  });

  it("is not kept waiting for a retry that its budget does not reach", async () => {
    server.answer = (_request, response) => response.writeHead(429, { "retry-after": "4" }).end('{"error":{}}');
    const error = await failure((await build(3_000)).models.list());
    expect(error).toMatchObject({ status: 429 });
    expect(server.arrived).toHaveLength(1);
  });
});
