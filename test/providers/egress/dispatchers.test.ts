import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import selfsigned from "selfsigned";
import { Agent, EnvHttpProxyAgent, getGlobalDispatcher, interceptors, MockAgent, setGlobalDispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ByokError } from "../../../src/errors.ts";
import { HeadGuard } from "../../../src/providers/egress/head-guard.ts";
import { openai } from "../../../src/providers/openai.ts";
import { type ChangingSupply, changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { type RecordingServer, recordingServer } from "../../support/recording-server.ts";
import { waitFor } from "../../support/wait-for.ts";

const key = "customer-key-0123456789";
const revoked = new ByokError("key_revoked", "It is gone.", { provider: "openai" });
const before = getGlobalDispatcher();
let server: RecordingServer;
let supply: ChangingSupply;
let send: (path: string, init?: RequestInit & { dispatcher?: unknown }) => Promise<Response>;

beforeEach(async () => {
  server = await recordingServer();
  supply = changingSupply(serving(key, server.origin));
  const egress = egressOf(openai, supply);
  send = async (path, init = {}) => await egress.fetch(`${server.origin}${path}`, init as RequestInit);
});
afterEach(async () => {
  setGlobalDispatcher(before);
  await server[Symbol.asyncDispose]();
});

const sent = (): unknown[] => server.arrived.map(({ url, headers }) => [url, headers.authorization]);

/** Where a dispatcher comes from: the application's, or a request's own. */
const places = [
  ["of the application's", (dispatcher: Agent) => void setGlobalDispatcher(dispatcher), () => ({})],
  ["of the request's", () => {}, (dispatcher: Agent) => ({ dispatcher })],
] as const;

describe.each(places)("a dispatcher %s", (_name, install, init) => {
  it("with one connection has a queued request asked about again when it is written", async () => {
    const agent = new Agent({ connections: 1, pipelining: 1 });
    install(agent);
    const answers: (() => void)[] = [];
    server.answer = (_request, response) => void answers.push(() => response.end("{}"));
    const first = send("/first", init(agent));
    await waitFor(() => expect(answers).toHaveLength(1));
    const queued = [send("/second", init(agent)), send("/third", init(agent))];
    for (const one of queued) one.catch(() => {});
    supply.now = revoked;
    answers[0]?.();
    await (await first).text();
    for (const one of queued) await expect(one).rejects.toBe(revoked);
    expect(sent()).toEqual([["/first", `Bearer ${key}`]]);
    await agent.close();
  });

  it("that follows redirects takes no key along", async () => {
    await using other = await recordingServer();
    server.answer = (_request, response) => response.writeHead(307, { location: `${other.origin}/elsewhere` }).end();
    const agent = new Agent().compose(
      interceptors.redirect({ maxRedirections: 3 }),
      // `fetch` asks for none.
      (dispatch) => (options, handler) => dispatch({ ...options, maxRedirections: 3 } as typeof options, handler),
    ) as unknown as Agent;
    install(agent);
    await expect(send("/first", init(agent))).rejects.toMatchObject({ code: "host_refused" });
    expect(other.arrived).toEqual([]);
    expect(sent()).toEqual([["/first", `Bearer ${key}`]]);
    await agent.close();
  });

  it("that tries again is asked about each time", async () => {
    server.answer = (_request, response) => {
      if (server.arrived.length > 1) return void response.end("{}");
      supply.now = revoked;
      return void response.writeHead(503).end();
    };
    const agent = new Agent().compose(interceptors.retry({ minTimeout: 1, maxTimeout: 1, maxRetries: 3 })) as Agent;
    install(agent);
    await expect(send("/first", init(agent))).rejects.toBe(revoked);
    expect(server.arrived).toHaveLength(1);
    await agent.close();
  });
});

describe("an application's", () => {
  it("mock answers in the provider's place", async () => {
    const mock = new MockAgent();
    mock.disableNetConnect();
    const headers = { authorization: `Bearer ${key}` };
    mock.get(server.origin).intercept({ path: "/mocked", headers }).reply(200, { mocked: true });
    setGlobalDispatcher(mock);
    expect(await (await send("/mocked")).json()).toEqual({ mocked: true });
    expect(server.arrived).toEqual([]);
    await mock.close();
  });

  it("HTTP/2 is guarded like HTTP/1.1", async () => {
    const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
    const extensions = [
      { name: "basicConstraints" as const, cA: true },
      { name: "subjectAltName" as const, altNames },
    ];
    const certificate = await selfsigned.generate([{ name: "commonName", value: "127.0.0.1" }], {
      keyType: "ec",
      extensions,
    });
    const seen: unknown[] = [];
    const secure = createSecureServer({ key: certificate.private, cert: certificate.cert }, (request, response) => {
      seen.push([request.httpVersion, request.headers.authorization]);
      response.end("{}");
    });
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const agent = new Agent({ allowH2: true, connect: { ca: certificate.cert } });
    setGlobalDispatcher(agent);
    const origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    supply.now = serving(key, origin);
    const { fetch: sendSecurely } = egressOf(openai, supply);
    expect((await sendSecurely(`${origin}/first`)).status).toBe(200);
    const { peek } = supply;
    let asked = 0;
    supply.peek = () => {
      asked += 1;
      if (asked > 1) throw revoked;
      return peek();
    };
    await expect(sendSecurely(`${origin}/second`)).rejects.toBe(revoked);
    expect(seen).toEqual([["2.0", `Bearer ${key}`]]);
    await agent.destroy();
    await new Promise((resolve) => secure.close(resolve));
  });
});

describe("the guard of a head", () => {
  const handler = (name: string) => ({ [name]: () => "begun" });
  const dispatched = (next: (options: object, guarded: Record<string, (...values: unknown[]) => unknown>) => unknown) =>
    new HeadGuard({ dispatch: (options, guarded) => next(options, guarded as never) as boolean }, () => {});

  it.each(["onConnect", "onRequestStart"])("asks in undici's way %s", (name) => {
    const guard = new HeadGuard({ dispatch: (_options, guarded) => Reflect.get(guarded, name)(() => {}) }, () => {});
    expect(guard.dispatch({}, handler(name))).toBe("begun");
  });

  it("refuses a runtime that does not say when a head is written", () => {
    const guard = dispatched(() => true);
    expect(() => guard.dispatch({}, handler("onSomethingNew"))).toThrow("cannot watch");
  });

  it("lets no time-out of undici's end what may take longer", () => {
    const given: object[] = [];
    const guard = dispatched((options) => given.push(options));
    guard.dispatch({ path: "/", headersTimeout: 300_000 }, handler("onConnect"));
    expect(given).toEqual([expect.objectContaining({ path: "/", headersTimeout: 0, bodyTimeout: 0 })]);
  });

  it("gives options that inherit nothing", () => {
    const given: object[] = [];
    dispatched((options) => given.push(options)).dispatch({ path: "/" }, handler("onConnect"));
    expect("toString" in (given[0] ?? {})).toBe(false);
  });

  it("ends a request that has its connection, and one that waits for it", () => {
    const error = new Error("over");
    const aborted: unknown[] = [];
    for (const isConnected of [true, false]) {
      const begin: (() => void)[] = [];
      const guard = dispatched((_options, guarded) =>
        begin.push(() => guarded["onConnect"]?.((why: unknown) => aborted.push(why))),
      );
      guard.dispatch({}, handler("onConnect"));
      if (isConnected) begin[0]?.();
      guard.end(error);
      if (!isConnected) begin[0]?.();
    }
    expect(aborted).toEqual([error, error]);
  });
});

describe("a proxy of the environment's", () => {
  it("that is installed as dispatcher is gone round on the way to loopback", async () => {
    await using proxy = await recordingServer();
    const agent = new EnvHttpProxyAgent({ httpProxy: proxy.origin, httpsProxy: proxy.origin, noProxy: "" });
    setGlobalDispatcher(agent);
    expect((await send("/path")).status).toBe(200);
    expect([proxy.arrived, sent()]).toEqual([[], [["/path", `Bearer ${key}`]]]);
    await agent.close();
  });

  it("is not between a worker and its own machine", async () => {
    const asked: unknown[] = [];
    const proxy = createServer(({ headers }, response) => {
      asked.push(headers.host);
      response.writeHead(502, { connection: "close" }).end();
    }).on("connect", ({ url }, socket) => {
      asked.push(url);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    // Node 22 before 22.21 reads no proxy from its environment.
    const reads = process.allowedNodeEnvironmentFlags.has("--use-env-proxy");
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const variables = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: origin, HTTPS_PROXY: origin, NO_PROXY: "" };
    const program = join(import.meta.dirname, "worker-behind-proxy.ts");
    const env = { ...process.env, ...variables };
    const child = await promisify(execFile)(process.execPath, [program, server.origin], { env });
    await new Promise((resolve) => proxy.close(resolve));
    expect(JSON.parse(child.stdout)).toEqual({ slot: 200, bare: reads ? "by the proxy" : "directly" });
    expect(sent()[0]).toEqual(["/path", `Bearer ${key}`]);
    // The runtime's own fetch asks the proxy: the environment was read.
    expect(asked).toEqual(reads ? [new URL(server.origin).host] : []);
  });
});
