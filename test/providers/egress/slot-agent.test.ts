import { type ClientRequest, type IncomingMessage, request as plainly, type RequestOptions } from "node:http";
import { request as securely } from "node:https";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ByokError } from "../../../src/errors.ts";
import { ada } from "../../support/ada.ts";
import { certificate } from "../../support/certificate.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { headersOf, type RawServer, rawServer } from "../../support/raw-server.ts";
import { type SwitchedSupply, switchedSupply } from "../../support/switched-supply.ts";
import { trust } from "../../support/trust.ts";
import { waitFor } from "../../support/wait-for.ts";

const revoked = new ByokError("key_revoked", "The organisation has removed its key.", { orgId: "org" });
let server: RawServer;
let supply: SwitchedSupply;

beforeEach(async () => {
  server = await rawServer();
  supply = switchedSupply(serving("key-one", server.origin));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const agentOf = (limitMs = 5_000) => egressOf(ada, supply, limitMs).agent;

const begin = (url: string, options: RequestOptions = {}, agent = agentOf()): ClientRequest =>
  (url.startsWith("https:") ? securely : plainly)(url, { agent, ...options });

const answerOf = async (request: ClientRequest): Promise<{ status: number | undefined; body: string }> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  return { status: response.statusCode, body: await text(response) };
};

const send = (url: string, options: RequestOptions = {}, body = "", agent = agentOf()) => {
  const request = begin(url, options, agent);
  request.end(body);
  return answerOf(request);
};

const keysIn = (received: string | undefined): string[] => headersOf(received, "authorization");

describe("a request through a slot's agent", () => {
  it.each([
    ["with no body", (request: ClientRequest) => request.end()],
    ["whose head and body are one text", (request: ClientRequest) => request.end("a body")],
    ["in whose body are characters beyond Latin-1", (request: ClientRequest) => request.end("grüße — 你好")],
    ["whose body is bytes", (request: ClientRequest) => request.end(Buffer.from("a body"))],
    [
      "whose body is written piece by piece, corked",
      (request: ClientRequest) => {
        request.cork();
        for (let piece = 0; piece < 5; piece++) request.write(`piece ${piece}`);
        request.uncork();
        request.end();
      },
    ],
    [
      "whose head is flushed first",
      (request: ClientRequest) => {
        request.flushHeaders();
        request.end("a body");
      },
    ],
    ["with a large body", (request: ClientRequest) => request.end("x".repeat(1_000_000))],
  ])("%s has the key once, and arrives as it was written", async (_what, write) => {
    const bare = plainly(`${server.origin}/v1/speak?a=1`, { method: "POST" });
    write(bare);
    await answerOf(bare);
    const request = begin("https://ada.example/v1/speak?a=1", {
      method: "POST",
      headers: { authorization: "Bearer of-the-environment" },
    });
    write(request);
    await answerOf(request);
    await waitFor(() =>
      expect(server.received[1]?.split("\r\n\r\n")[1]).toBe(server.received[0]?.split("\r\n\r\n")[1]),
    );
    const [expected = "", arrived = ""] = server.received;
    expect(keysIn(arrived)).toEqual(["authorization: Bearer key-one"]);
    expect(arrived.split("\r\n\r\n").slice(1)).toEqual(expected.split("\r\n\r\n").slice(1));
    expect(headersOf(arrived, "host")).toEqual([`Host: 127.0.0.1:${server.port}`]);
    expect(arrived.split("\r\n")[0]).toBe("POST /v1/speak?a=1 HTTP/1.1");
  });

  it("carries nothing that is somebody else's credential, or a placeholder, in its head", async () => {
    const { placeholder } = egressOf(ada, supply);
    await send(`https://ada.example/v1?token=a&api_key=b&model=m&x=${placeholder}&access_token=c&keyterm=d`, {
      headers: {
        "xi-api-key": "e",
        cookie: "f",
        "x-org": "g",
        "accept-encoding": "gzip",
        "user-agent": placeholder,
        accept: "text/plain",
      },
      auth: "user:pass",
      setHost: false,
    });
    expect(server.received[0]?.split("\r\n")).toEqual([
      "GET /v1?model=m&keyterm=d HTTP/1.1",
      `Host: 127.0.0.1:${server.port}`,
      "accept: text/plain",
      "Connection: close",
      "authorization: Bearer key-one",
      "",
      "",
    ]);
  });

  it("goes below the path of an endpoint that was declared", async () => {
    supply.now = serving("key-one", `${server.origin}/proxy/v1`);
    await send("https://ada.example/models");
    expect(server.received[0]).toMatch(/^GET \/proxy\/v1\/models HTTP/u);
  });

  it("goes to an IPv6 address", async () => {
    await using six = await rawServer({ host: "::1" });
    supply.now = serving("key-one", six.origin);
    await send("https://ada.example/models");
    expect(headersOf(six.received[0], "host")).toEqual([`Host: [::1]:${six.port}`]);
  });

  it.each([
    "https://evil.example/v1",
    "https://ada.example.evil.example/",
    "http://ada.example/v1",
  ])("for %s is refused, and says whose request it was", async (url) => {
    await expect(send(url)).rejects.toMatchObject({ code: "host_refused", orgId: "org", provider: "ada", slot: "stt" });
    expect(server.received).toEqual([]);
  });

  it("is refused where its path or its host header leads elsewhere", async () => {
    await expect(send("https://ada.example", { path: "@evil.example/" })).rejects.toMatchObject({
      code: "host_refused",
    });
    await expect(send("https://ada.example", { path: ".evil.example/" })).rejects.toMatchObject({
      code: "host_refused",
    });
    await expect(send("https://ada.example", { path: "/a/../b" })).rejects.toMatchObject({ code: "host_refused" });
    await expect(send("https://ada.example", { headers: { host: "evil.example" } })).rejects.toMatchObject({
      code: "host_refused",
    });
    expect(server.received).toEqual([]);
  });

  it("is told of with its status, or without one where no answer came", async () => {
    await send("https://ada.example/v1");
    server.answer = (socket) => socket.destroy();
    await expect(send("https://ada.example/v1")).rejects.toThrow();
    await waitFor(() => expect(supply.sent.map(({ status }) => status)).toEqual([200, null]));
  });

  it("has a connection of its own, however the agent is set", async () => {
    server.answer = (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    const agent = Object.assign(agentOf(), { maxSockets: 1, keepAlive: true });
    const headers = { connection: "keep-alive" };
    const first = begin("https://ada.example/v1/1", { headers }, agent);
    await new Promise<void>((resolve) => first.once("socket", () => resolve()));
    const others = [2, 3].map((at) => send(`https://ada.example/v1/${at}`, { headers }, "", agent));
    first.end();
    await Promise.all([answerOf(first), ...others]);
    expect(server.received.map((head) => head.split(" ")[1]).toSorted()).toEqual(["/v1/1", "/v1/2", "/v1/3"]);
    expect(server.received.map(keysIn)).toEqual([1, 2, 3].map(() => ["authorization: Bearer key-one"]));
  });
});

describe("a key that changes while a connection is opened", () => {
  /** Opened, and its head not yet written: Node writes it when the request is flushed or ended. */
  const opened = async (url = "https://ada.example/v1"): Promise<ClientRequest> => {
    const request = begin(url, { method: "POST" });
    await new Promise<void>((resolve) => request.once("socket", () => resolve()));
    return request;
  };

  it("is the newer one in the head", async () => {
    const request = await opened();
    supply.now = serving("key-two", server.origin);
    request.end("a body");
    await answerOf(request);
    expect(server.received.map(keysIn)).toEqual([["authorization: Bearer key-two"]]);
  });

  it("is not sent once it is removed, nor anything else", async () => {
    const request = await opened();
    supply.now = revoked;
    request.end("a body");
    await expect(answerOf(request)).rejects.toBe(revoked);
    await waitFor(() => expect(server.sockets[0]?.closed).toBe(true));
    expect(server.received).toEqual([""]);
  });

  it("is sent to no host but its own", async () => {
    const request = await opened();
    supply.now = serving("key-two", "http://127.0.0.1:9");
    request.end("a body");
    await expect(answerOf(request)).rejects.toMatchObject({ code: "key_replaced", orgId: "org", retryable: true });
    expect(server.received.join("")).toBe("");
  });

  it("is read anew where it is not known, and the head waits", async () => {
    const request = await opened();
    supply.now = serving("key-two", server.origin);
    supply.isUnread = true;
    request.end("a body");
    await answerOf(request);
    expect(server.received.map(keysIn)).toEqual([["authorization: Bearer key-two"]]);
    expect(server.received[0]).toMatch(/\r\n\r\na body$/u);
  });

  it("that is outdated as soon as it was read is not sent, but what serves then", async () => {
    const request = await opened();
    const outdated = serving("key-two", server.origin);
    supply.isUnread = true;
    let reads = 0;
    supply.decide = async () => {
      reads += 1;
      supply.isUnread = reads < 2;
      supply.now = serving("key-three", server.origin);
      return outdated;
    };
    request.end("a body");
    await answerOf(request);
    expect(server.received.map(keysIn)).toEqual([["authorization: Bearer key-three"]]);
  });

  it("that nobody can tell is given up, and nothing is sent", async () => {
    const request = await opened();
    supply.isUnread = true;
    supply.decide = async () => serving("key-two", server.origin);
    request.end("a body");
    await expect(answerOf(request)).rejects.toMatchObject({ code: "key_replaced", orgId: "org", retryable: true });
    expect(server.received.join("")).toBe("");
  });

  it("is not sent when it is removed while TLS is under way", async () => {
    const made = await certificate();
    const untrust = trust(made.cert);
    await using secure = await rawServer({ tls: made });
    supply.now = serving("key-one", secure.origin);
    try {
      expect(await send("https://ada.example/v1")).toMatchObject({ status: 200 });
      const request = begin("https://ada.example/v1");
      request.end();
      supply.now = revoked;
      await expect(answerOf(request)).rejects.toBe(revoked);
      expect(secure.received.filter((bytes) => bytes !== "").map(keysIn)).toEqual([["authorization: Bearer key-one"]]);
    } finally {
      untrust();
    }
  });
});

describe("a peer that says nothing", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["after the head", () => {}],
    ["but half a head", (socket) => socket.write("HTTP/1.1 101 Switching")],
  ])("%s ends a handshake in time", async (_what, answer) => {
    server.answer = answer;
    const request = begin("https://ada.example/v1", { headers: { upgrade: "websocket" } }, agentOf(200));
    request.once("upgrade", () => {});
    request.end();
    await expect(answerOf(request)).rejects.toMatchObject({ code: "request_timeout", orgId: "org" });
  });

  it("during TLS ends a request in time", async () => {
    supply.now = serving("key-one", server.origin.replace("http", "https"));
    await expect(send("https://ada.example/v1", {}, "", agentOf(200))).rejects.toMatchObject({
      code: "request_timeout",
    });
    await waitFor(() => expect(server.sockets[0]?.closed).toBe(true));
  });

  it("ends nothing once an answer has begun, and a limit of 0 is none", async () => {
    server.answer = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na");
      setTimeout(() => socket.write("b"), 400);
    };
    expect(await send("https://ada.example/v1", { timeout: 0 }, "", agentOf(250))).toMatchObject({ body: "ab" });
  });
});

describe("what comes back through a slot's agent", () => {
  it("is whole although it ends in what may begin a key", async () => {
    supply.now = serving("key-one-of-the-customer", server.origin);
    server.answer = (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nIt begins with key-one-of-the");
    expect(await send(`${server.origin}/v1/speak`)).toEqual({ status: 200, body: "It begins with key-one-of-the" });
  });

  it.each([
    ["headers", "HTTP/1.1 401 No\r\nx-echo: key-one-of-the-customer\r\ncontent-length: 0\r\n\r\n"],
    ["a body", "HTTP/1.1 401 No\r\ncontent-length: 23\r\n\r\nkey-one-of-the-customer"],
    ["what is not HTTP", "you said: authorization: Bearer key-one-of-the-customer\r\n\r\n"],
  ])("in %s has no key in it", async (_what, answer) => {
    const key = "key-one-of-the-customer";
    supply.now = serving(key, server.origin);
    server.answer = (socket) => {
      const at = answer.indexOf(key) + 11;
      socket.write(answer.slice(0, at));
      setImmediate(() => socket.end(answer.slice(at)));
    };
    const request = begin("https://ada.example/v1");
    request.end();
    const shown: unknown[] = [];
    await new Promise<void>((resolve) => {
      request.once("error", (error) => resolve(void shown.push(error)));
      request.once("response", async (response) => resolve(void shown.push(response.rawHeaders, await text(response))));
    });
    expect(shown.length).toBeGreaterThan(0);
    for (const one of [...shown, Reflect.get(shown[0] as object, "rawPacket")?.toString()]) {
      expect(inspect(one, { depth: 9, showHidden: true })).not.toContain(key);
    }
  });
});

describe("a connection of a slot's", () => {
  it("is watched as long as it is open, and no longer", async () => {
    server.answer = () => {};
    const request = begin("https://ada.example/v1");
    request.on("error", () => {});
    request.end();
    await waitFor(() => expect(supply.open.size).toBe(1));
    request.destroy();
    await waitFor(() => expect(supply.open.size).toBe(0));
  });

  it("is closed with the reason when its key is removed", async () => {
    server.answer = () => {};
    const request = begin("https://ada.example/v1");
    request.end();
    await waitFor(() => expect(supply.open.size).toBe(1));
    for (const close of supply.open) close(revoked);
    await expect(answerOf(request)).rejects.toBe(revoked);
  });

  it("goes nowhere else under a prototype that somebody has filled", async () => {
    await using evil = await rawServer();
    const names = ["path", "lookup", "socket", "servername", "localAddress", "secureContext", "ca", "auth", "agent"];
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { value: evil.origin, configurable: true, writable: true });
      try {
        const request = begin("https://ada.example/v1");
        request.end();
        await answerOf(request);
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
    expect(evil.received).toEqual([]);
    expect(server.received.map(keysIn)).toEqual(names.map(() => ["authorization: Bearer key-one"]));
  });
});
