import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import { createHandler, type Handler, toNodeListener } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring, memoryStore } from "../../src/index.ts";

let mounted: (basePath: string) => Handler;

beforeAll(async () => {
  const store = memoryStore();
  await store.migrate();
  const manager = createKeyManager({ store, keyring: createKeyring(generateKeyring()), verify: "off" });
  const authenticate = async ({ headers }: Request) => {
    const orgId = headers.get("x-session");
    return orgId === null ? null : { orgId, canWrite: true };
  };
  mounted = (basePath) => createHandler({ manager, authenticate, basePath });
});

/** Asks the mounted API what a client would: to store a key, to show it, to remove it, and what it does not have. */
const useIt = async (orgId: string, send: (path: string, init?: RequestInit) => Promise<Response>): Promise<void> => {
  const headers = { "x-session": orgId, "content-type": "application/json" };
  const stored = await send("/v1/byok", { method: "POST", headers, body: '{"provider":"openai","api_key":"own-key"}' });
  expect([stored.status, ((await stored.json()) as { success: boolean }).success]).toEqual([200, true]);
  const shown = (await (await send("/v1/byok?details=true", { headers })).json()) as {
    details: { openai: { status: string } };
  };
  expect(shown.details.openai.status).toBe("unchecked");
  expect((await send("/v1/byok", { method: "HEAD", headers })).status).toBe(200);
  const removed = await send("/v1/byok", { method: "DELETE", headers, body: '{"provider":"openai"}' });
  expect(await removed.json()).toMatchObject({ byok_keys: { openai_secret_id: null } });
  expect((await send("/v1/byok")).status).toBe(401);
  expect((await send("/v1/byok", { method: "PUT", headers })).headers.get("allow")).toContain("POST");
  const large = await send("/v1/byok", {
    method: "POST",
    headers,
    body: JSON.stringify({ provider: "x".repeat(20_000) }),
  });
  expect([large.status, large.headers.get("content-type")]).toEqual([413, "application/problem+json"]);
};
const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const close = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));

describe("the handler is mounted", () => {
  it("in Hono", async () => {
    const app = new Hono()
      .get("/", (context) => context.text("home"))
      .mount("/v1", mounted("/v1"), { replaceRequest: false });
    await useIt("in-hono", async (path, init) => await app.request(path, init));
    expect(await (await app.request("/")).text()).toBe("home");
  });

  it("in node:http", async () => {
    const server = createServer(toNodeListener(mounted("/v1")));
    const origin = await listening(server);
    await useIt("in-node", (path, init) => fetch(`${origin}${path}`, init));
    await close(server);
  });

  it("behind a body parser, and its operator is told while the customer is not blamed", async () => {
    const told: unknown[] = [];
    const store = memoryStore();
    await store.migrate();
    const manager = createKeyManager({ store, keyring: createKeyring(generateKeyring()), verify: "off" });
    const authenticate = async () => ({ orgId: "org", canWrite: true });
    const handler = createHandler({ manager, authenticate, onError: (error) => told.push(error) });
    const app = express().use(express.json()).use("/v1", toNodeListener(handler));
    const server = createServer(app);
    const origin = await listening(server);
    const body = JSON.stringify({ provider: "openai", api_key: "own-key" });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${origin}/v1/byok`, { method: "POST", headers, body });
    expect([answer.status, await answer.json()]).toEqual([500, expect.objectContaining({ code: "internal" })]);
    expect(told.map(String)).toEqual([expect.stringContaining("ahead of body parsers")]);
    expect((await fetch(`${origin}/v1/byok`)).status).toBe(200);
    await close(server);
  });

  it("in Express 5, below a path and beside everything else", async () => {
    const app = express().use("/v1", toNodeListener(mounted("")));
    app.get("/other", (_request, response) => void response.send("other"));
    const server = createServer(app);
    const origin = await listening(server);
    await useIt("in-express", (path, init) => fetch(`${origin}${path}`, init));
    expect(await (await fetch(`${origin}/other`)).text()).toBe("other");
    await close(server);
  });

  it("in Fastify, whose body parser is left out of its way", async () => {
    const app = fastify();
    await app.register(async (scope) => {
      const listener = toNodeListener(mounted("/v1"));
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
      scope.all("/v1/*", async (request, reply) => {
        reply.hijack();
        await listener(request.raw, reply.raw);
      });
    });
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    await useIt("in-fastify", (path, init) => fetch(`${origin}${path}`, init));
    await app.close();
  });
});
