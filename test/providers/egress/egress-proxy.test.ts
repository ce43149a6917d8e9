import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as ws from "ws";
import { createKeyring, createResolver, generateKeyring, memoryStore } from "../../../src/index.ts";
import { SlotEgress } from "../../../src/providers/egress/egress.ts";
import { EgressProxy } from "../../../src/providers/egress/egress-proxy.ts";
import { createPlaceholder } from "../../../src/providers/egress/placeholder.ts";
import { ada } from "../../support/ada.ts";
import { certificate } from "../../support/certificate.ts";
import { serving } from "../../support/egress.ts";
import { acceptSocket, headersOf, type RawServer, rawServer } from "../../support/raw-server.ts";
import { type SwitchedSupply, switchedSupply } from "../../support/switched-supply.ts";
import { trust } from "../../support/trust.ts";
import { waitFor } from "../../support/wait-for.ts";

const made = await certificate("voice.example");
let untrust: () => void;
let server: RawServer;
let supply: SwitchedSupply;
let proxy: Server;
let asked: string[];
/** What the proxy answers; nothing: it connects. */
let answer: ((socket: Socket) => void) | undefined;

beforeEach(async () => {
  untrust = trust(made.cert);
  server = await rawServer({ tls: made });
  server.answer = (socket, head) => acceptSocket(socket, head);
  // Nobody but the proxy can find this host.
  supply = switchedSupply(serving("key-one", `https://voice.example:${server.port}`));
  asked = [];
  answer = undefined;
  proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      asked.push(head.toString());
      if (answer !== undefined) return answer(socket);
      const onward = connect(server.port, "127.0.0.1");
      onward.on("error", () => socket.destroy());
      socket.write("HTTP/1.1 200 Connection established\r\nproxy-agent: one\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  untrust();
  await server[Symbol.asyncDispose]();
  proxy.close();
});

const proxyUrl = (): string => `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;

/** What a socket through the proxy says first. */
const open = (through = proxyUrl(), requestTimeoutMs = 5_000): Promise<unknown> => {
  const { WebSocket } = new SlotEgress({
    vendor: ada,
    supply,
    placeholder: createPlaceholder(),
    requestTimeoutMs,
    ws,
    proxy: EgressProxy.parse(through),
  });
  const socket = new WebSocket("wss://ada.example/v1");
  onTestFinished(() => socket.terminate());
  return new Promise((resolve) => {
    socket.on("open", () => resolve("open"));
    socket.on("error", resolve);
  });
};

describe("sockets that leave by a proxy", () => {
  it("reach their host through it, and it sees neither the key nor the request", async () => {
    expect(await open()).toBe("open");
    const host = `voice.example:${server.port}`;
    const authorization = `Proxy-Authorization: Basic ${Buffer.from("user:p@ss").toString("base64")}`;
    expect(asked).toEqual([`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n\r\n`]);
    expect(headersOf(server.received[0], "authorization", "proxy-authorization")).toEqual([
      "authorization: Bearer key-one",
    ]);
  });

  it("reach loopback without it", async () => {
    await using plain = await rawServer();
    plain.answer = (socket, head) => acceptSocket(socket, head);
    supply.now = serving("key-one", plain.origin);
    expect(await open()).toBe("open");
    expect(asked).toEqual([]);
  });

  it.each([
    ["HTTP/1.1 407 Who\r\n\r\n", false, "user and the password"],
    ["HTTP/1.1 403 No\r\n\r\n", true, "may reach it"],
    ["HTTP/1.1 502 Bad\r\n\r\n", true, "may reach it"],
    ["SSH-2.0-OpenSSH\r\n\r\n", true, "Check `proxy`"],
    ["HTTP/1.1 200 OK\r\n\r\nand more", true, "Check `proxy`"],
    ["without an end", true, "Check `proxy`"],
  ])("that it answers %j to are told so, with the next step", async (text, retryable, next) => {
    answer = (socket) => void socket.write(text === "without an end" ? "x".repeat(40_000) : text);
    const error = await open();
    expect(error).toMatchObject({ code: "provider_failed", orgId: "org", provider: "ada", retryable });
    expect(String(error)).toContain(next);
    expect(inspect(error, { showHidden: true })).not.toMatch(/p@ss|p%40ss|Basic/u);
    expect(server.received).toEqual([]);
  });

  it("are told when it hangs up, is not there or says nothing", async () => {
    answer = (socket) => socket.destroy();
    expect(await open()).toMatchObject({ code: "provider_failed" });
    answer = () => {};
    expect(await open(proxyUrl(), 200)).toMatchObject({ code: "request_timeout" });
    expect(await open("http://127.0.0.1:9")).toMatchObject({ code: "provider_failed", orgId: "org" });
  });

  it("send nothing when the key is removed meanwhile", async () => {
    const removed = new Error("removed");
    answer = (socket) => {
      supply.now = removed;
      const onward = connect(server.port, "127.0.0.1");
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    };
    expect(await open()).toBe(removed);
    expect(server.received.join("")).toBe("");
    await waitFor(() => expect(supply.open.size).toBe(0));
  });
});

describe("the option `proxy`", () => {
  const build = (url: string) =>
    createResolver({ store: memoryStore(), keyring: createKeyring(generateKeyring()), proxy: url });

  it.each([
    "",
    "proxy.example:3128",
    "socks5://proxy.example",
    "http://proxy.example/path",
    "http://proxy.example?a=1",
  ])("like %j is options_invalid", (url) => {
    expect(() => build(url)).toThrow(expect.objectContaining({ code: "options_invalid" }));
  });

  it("is shown by nothing", async () => {
    await using resolver = build("http://user:hidden-word@proxy.example:3128");
    expect(inspect(resolver, { depth: 12, showHidden: true })).not.toContain("hidden-word");
    expect(
      inspect(EgressProxy.parse("http://user:hidden-word@proxy.example:3128"), { showHidden: true }),
    ).not.toContain("hidden-word");
  });
});
