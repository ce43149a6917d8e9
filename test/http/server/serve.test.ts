import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { bearerTokens, type Principal, parseTokens } from "../../../src/http/index.ts";
import { caught } from "../../support/caught.ts";
import { waitFor } from "../../support/wait-for.ts";
import { headers, sendRaw, serving, token } from "./serving.ts";

const planted = "planted-key-AbCdEfGhIjKlMnOp";
const sha256 = "f9e3f1fdb4e2df4b1b0e3d0a1e9b0e5a0e7c8f5d6b4a3c2d1e0f9a8b7c6d5e4f";

/** One a second, since `performance.now()` was so much. */
const mostChecks = (since: number): number => 2 + Math.floor((performance.now() - since) / 1_000);
describe("the server", () => {
  it("listens on this machine only unless it is told otherwise, and says so", async () => {
    await using here = await serving();
    expect(here.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
    expect(here.log()[0]).toMatchObject({ msg: "listening", url: here.url, reach: "this machine only" });
    await using other = await serving({ host: "::1" });
    expect(other.url).toMatch(/^http:\/\/\[::1\]:/u);
    expect(other.log()[0]).toMatchObject({ reach: "::1" });
  });

  it.each([
    "GET /healthz HTTP/1.0",
    "GET /readyz HTTP/1.0",
    "HEAD /readyz HTTP/1.0",
  ])("answers %s without a host, as a balancer asks it", async (line) => {
    await using here = await serving();
    expect(await sendRaw(here.url, `${line}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK/u);
  });

  it("logs one line a request, with an id that the answer carries, and nothing that a key could stand in", async () => {
    await using here = await serving();
    const body = JSON.stringify({ provider: "openai", api_key: planted });
    const stored = await fetch(`${here.url}/byok?x=${planted}`, {
      method: "POST",
      headers: { ...headers, "x-request-id": planted },
      body,
    });
    await fetch(`${here.url}/${planted}`, { headers });
    await waitFor(() => expect(here.log()).toHaveLength(3));
    const [, first, second] = here.log();
    expect(first).toMatchObject({
      method: "POST",
      path: "/byok",
      status: 200,
      requestId: stored.headers.get("x-request-id"),
      ms: expect.any(Number),
    });
    expect(second).toMatchObject({ path: "other", status: 404 });
    expect(first?.["requestId"]).not.toBe(second?.["requestId"]);
    expect(here.lines.join("")).not.toMatch(/planted|token-of/u);
  });

  it("logs whose each request is, done or refused, and tells only the log", async () => {
    const authenticate = async ({ headers }: Request): Promise<Principal | null> => {
      const [orgId, actor, canWrite] = headers.get("authorization")?.split(" ") ?? [];
      if (orgId === undefined) return null;
      return { orgId, canWrite: canWrite !== "reads", ...(actor === undefined ? {} : { actor }) };
    };
    await using here = await serving({ authenticate });
    const ask = async (method: string, path: string, authorization?: string, body?: object) => {
      const sent = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${here.url}${path}`, { method, headers: sent, ...json });
      expect(JSON.stringify([...response.headers])).not.toMatch(/acme|ann/u);
    };
    await ask("POST", "/byok", "acme ann", { provider: "openai", api_key: planted });
    await ask("POST", "/byok", "acme ann", { provider: planted, api_key: planted });
    await ask("DELETE", "/byok?provider=openai", "acme ann reads");
    await ask("GET", `/byok/${planted}`, "acme ann");
    await ask("GET", "/byok", "globex");
    await ask("GET", "/byok");
    await ask("GET", "/healthz", "acme ann");
    await vi.waitFor(() => expect(here.log()).toHaveLength(8));
    const whose = here
      .log()
      .slice(1)
      .map(({ orgId, actor, status }) => [orgId, actor, status]);
    expect(whose).toEqual([
      ["acme", "ann", 200],
      ["acme", "ann", 422],
      ["acme", "ann", 403],
      ["acme", "ann", 404],
      ["globex", undefined, 200],
      [undefined, undefined, 401],
      [undefined, undefined, 200],
    ]);
    expect(here.lines.join("")).not.toContain("planted");
  });

  it("logs the paths of the API and its own as they are, without the base path, and no other", async () => {
    await using here = await serving({ basePath: "/v1" });
    const { paths } = (await (await fetch(`${here.url}/v1/openapi.json`)).json()) as { paths: object };
    const asked = [...Object.keys(paths), "/healthz", "/readyz", "/byok", "/v1/healthz", `/v1/byok/${planted}`];
    for (const path of asked) await fetch(`${here.url}${path}`, { headers });
    await waitFor(() => expect(here.log()).toHaveLength(asked.length + 2));
    const logged = here
      .log()
      .slice(1)
      .map(({ path }) => path);
    const described = Object.keys(paths).map((path) => path.slice("/v1".length));
    expect(logged).toEqual(["/openapi.json", ...described, "/healthz", "/readyz", "other", "other", "other"]);
  });

  it("is alive whatever the database does, and ready while it answers", async () => {
    await using here = await serving();
    const statusOf = async (path: string): Promise<number> => (await fetch(`${here.url}${path}`)).status;
    expect([await statusOf("/healthz"), await statusOf("/readyz")]).toEqual([200, 200]);
    expect((await fetch(`${here.url}/readyz`)).headers.get("cache-control")).toBe("no-store");
    expect((await fetch(`${here.url}/healthz`, { method: "POST" })).status).toBe(405);
    here.store.isDown = true;
    await waitFor(async () => expect(await statusOf("/readyz")).toBe(503));
    expect(await statusOf("/healthz")).toBe(200);
    const { polls } = here.store.sent;
    const since = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => statusOf("/readyz")));
    expect(here.store.sent.polls - polls).toBeLessThanOrEqual(mostChecks(since));
    const failed = await fetch(`${here.url}/byok`, { headers });
    expect([failed.status, failed.headers.get("retry-after")]).toEqual([503, "2"]);
    await waitFor(() =>
      expect(here.log()).toContainEqual(expect.objectContaining({ msg: "failed", code: "store_unavailable" })),
    );
  });

  it.each([
    ["never answers", () => new Promise<never>(() => {})],
    [
      "throws",
      () => {
        throw new Error("not a promise");
      },
    ],
  ])("is not ready while its check %s, and asks once at a time", async (_name, check) => {
    const ready = vi.fn(check);
    const since = performance.now();
    await using here = await serving({ ready });
    const asked = Array.from({ length: 20 }, async () => (await fetch(`${here.url}/readyz`)).status);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([503]));
    expect((await fetch(`${here.url}/readyz`)).status).toBe(503);
    expect(ready.mock.calls.length).toBeLessThanOrEqual(mostChecks(since));
  });

  it("lets requests under way end when it closes, and takes no more, on connections that are kept alive too", async () => {
    const here = await serving({ shutdownMs: 60_000 });
    const release = here.store.hold();
    const kept = connect(Number(new URL(here.url).port), "127.0.0.1");
    let answers = "";
    kept.on("data", (chunk) => {
      answers += String(chunk);
    });
    const request = `GET /byok HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    kept.write(`GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n${request}`);
    await waitFor(() => expect(here.store.sent.describes).toBe(1));
    const closed = here.server.close();
    await expect(fetch(`${here.url}/healthz`)).rejects.toThrow();
    release();
    await Promise.all([closed, once(kept, "close")]);
    expect(answers.match(/HTTP\/1\.1 200/gu)).toHaveLength(2);
  });

  it("waits for no connection without a request when it closes", async () => {
    const here = await serving({ shutdownMs: 60_000 });
    const { port } = new URL(here.url);
    const halfOpen = ["", "GET /byok HTTP/1.1\r\nhost: x"].map((text) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {});
      if (text !== "") socket.write(text);
      return once(socket, "close");
    });
    await (await fetch(`${here.url}/healthz`)).text();
    await here.server.close();
    await Promise.all(halfOpen);
  });

  it("ends what does not end by itself", async () => {
    const here = await serving({ shutdownMs: 100 });
    here.store.hold();
    const underWay = fetch(`${here.url}/byok`, { headers }).then(
      () => "answered",
      () => "ended",
    );
    await waitFor(() => expect(here.store.sent.describes).toBe(1));
    await here.server.close();
    expect(await underWay).toBe("ended");
  });

  it.each([
    ["no HTTP", "400", `${planted}\r\n\r\n`],
    ["a target that is none", "400", "GET http://[ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    ["no host", "400", "GET /byok HTTP/1.1\r\nconnection: close\r\n\r\n"],
    ["a host that is none", "400", "GET /byok HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n"],
    ["headers without end", "431", `GET /byok HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(40_000)}\r\n\r\n`],
    ["two lengths", "400", "POST /byok HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
    ["a stranger's TRACE", "401", "TRACE /byok HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    ["TRACE", "405", `TRACE /byok HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`],
    ["CONNECT", "", "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n"],
  ])("answers %s with %s, and goes on", async (_name, status, text) => {
    await using here = await serving();
    const answer = await sendRaw(here.url, text);
    expect(answer).toMatch(status === "" ? /^$/u : new RegExp(`^HTTP/1.1 ${status}`, "u"));
    expect(answer).not.toMatch(/planted|\.ts:|node_modules/u);
    expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
    expect(here.log().filter(({ msg }) => msg === "failed")).toEqual([]);
    for (const { requestId } of here.log().slice(1)) expect(requestId).toMatch(/^[\da-f-]{36}$/u);
  });

  it("says that a port is taken", async () => {
    await using here = await serving();
    const error = await caught(serving({ port: Number(new URL(here.url).port) }));
    expect(error).toMatchObject({ code: "options_invalid", message: expect.stringContaining("EADDRINUSE") });
  });
});

describe("bearer tokens", () => {
  const request = (authorization?: string) =>
    new Request("http://x", authorization === undefined ? {} : { headers: { authorization } });
  const hash = "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de";

  it("are known by their hash", async () => {
    const { createHash } = await import("node:crypto");
    const hashed = createHash("sha256").update(token).digest("hex");
    const authenticate = bearerTokens([
      { sha256: hash, orgId: "other", canWrite: true },
      { sha256: hashed, orgId: "org", actor: "ann", canWrite: false },
    ]);
    expect(await authenticate(request(`Bearer ${token}`))).toEqual({ orgId: "org", actor: "ann", canWrite: false });
    for (const wrong of [
      undefined,
      "",
      token,
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${hashed}`,
      `Bearer ${"x".repeat(600)}`,
    ]) {
      expect(await authenticate(request(wrong))).toBeNull();
    }
  });

  it("that have expired are nobody's, and nor are those that do not say properly when", async () => {
    const { createHash } = await import("node:crypto");
    const hashed = { sha256: createHash("sha256").update(token).digest("hex"), orgId: "org", canWrite: true };
    const ask = (expiresAt: string) => bearerTokens([{ ...hashed, expiresAt }])(request(`Bearer ${token}`));
    expect(await ask("2999-01-01T00:00:00Z")).toEqual({ orgId: "org", canWrite: true });
    for (const past of ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00+02:00", "some day"]) {
      expect(await ask(past)).toBeNull();
    }
  });

  it.each([
    "",
    "[]",
    "{}",
    JSON.stringify({ tokens: [{ sha256: "short", orgId: "org", canWrite: true }] }),
    JSON.stringify({ tokens: [{ sha256, orgId: "", canWrite: true }] }),
    JSON.stringify({ tokens: [{ sha256, orgId: "org", canWrite: "no" }] }),
    JSON.stringify({ tokens: [{ sha256, orgId: "org", canWrite: true, admin: true }] }),
    JSON.stringify({ tokens: [{ sha256, orgId: "org", canWrite: true, expiresAt: "tomorrow" }] }),
    JSON.stringify({ tokens: [{ sha256, orgId: "org", canWrite: true, expiresAt: 4e12 }] }),
  ])("in a file that holds %j are options_invalid", (text) => {
    expect(() => parseTokens(text)).toThrow(expect.objectContaining({ code: "options_invalid" }));
  });

  it("say whether they may write: a file that leaves it out is refused, and told which and what to add", () => {
    const tokens = [
      { sha256, orgId: "org", canWrite: true },
      { sha256, orgId: "org" },
    ];
    const message = expect.stringMatching(/tokens\.1 does not say "canWrite".*true.*false/u);
    expect(() => parseTokens(JSON.stringify({ tokens }))).toThrow(
      expect.objectContaining({ code: "options_invalid", message }),
    );
  });
});
