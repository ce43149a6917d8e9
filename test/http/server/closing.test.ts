import { Agent, request as ask } from "node:http";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { headers, openRaw, serving, token } from "./serving.ts";

const head = (method: string, path = "/byok", more = ""): string =>
  `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${more}\r\n`;
const body = '{"provider":"openai","api_key":"own-key-0123456789"}';
const post = `${head("POST", "/byok", `content-type: application/json\r\ncontent-length: ${body.length}\r\n`)}${body}`;
const longDrain = { drainMs: 600_000 };
const storedOf = async ({ manager }: Awaited<ReturnType<typeof serving>>) =>
  (await manager.list("org")).openai_secret_id;
const statusesOf = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (?<status>\d+)/gu)].map(({ groups }) => groups?.["status"]);
const connectionsOf = (text: string) =>
  [...text.matchAll(/^connection: (?<how>\S+)/gimu)].map(({ groups }) => groups?.["how"]);

describe("a server that closes", () => {
  it("is not ready from the first moment on, and answers everything else until its drain ends", async () => {
    const here = await serving();
    const closed = here.server.close(longDrain);
    const answers = await Promise.all(
      ["/readyz", "/healthz", "/byok"].map((path) => fetch(`${here.url}${path}`, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 200]);
    expect(answers.map(({ headers }) => headers.get("connection"))).toEqual(["close", "close", "close"]);
    const stored = await fetch(`${here.url}/byok`, { method: "POST", headers, body });
    expect(stored.status).toBe(200);
    await here.server.close({ drainMs: 0 });
    await closed;
    await expect(fetch(`${here.url}/healthz`)).rejects.toThrow();
  });

  it("drains for as long as its option says unless its end is asked for at once", async () => {
    const here = await serving(longDrain);
    const closed = here.server.close();
    expect((await fetch(`${here.url}/byok`, { headers })).status).toBe(200);
    await Promise.all([here.server.close({ drainMs: 0 }), closed]);
  });

  it.each([
    ["at once", 0],
    ["after a drain", 600_000],
  ])("%s tells each client with its answer that the connection ends, so that nothing is sent behind it", async (_name, drainMs) => {
    const here = await serving({ shutdownMs: 600_000 });
    const release = here.store.hold();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (method: string, sent?: string) =>
      new Promise<string>((resolve) => {
        const options = { agent, method, headers: { ...headers, ...(sent ? { "content-length": sent.length } : {}) } };
        const one = ask(`${here.url}/byok`, options, (response) => {
          response.resume().on("end", () => resolve(`${response.statusCode} ${response.headers.connection}`));
        });
        one.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code))).end(sent);
      });
    const first = send("GET");
    await waitFor(() => expect(here.store.sent.describes).toBe(1));
    // The agent sends it down the connection of the first one, if that is kept.
    const second = send("POST", body);
    const closed = here.server.close({ drainMs });
    release();
    expect(await first).toBe("200 close");
    expect(await second).toBe(drainMs === 0 ? "ECONNREFUSED" : "200 close");
    await here.server.close({ drainMs: 0 });
    await closed;
    expect(await storedOf(here)).toEqual(drainMs === 0 ? null : expect.any(String));
  });

  it("carries nothing out that is sent behind a connection's last answer", async () => {
    const here = await serving({ shutdownMs: 600_000 });
    const release = here.store.hold();
    const kept = openRaw(here.url, head("GET"));
    await waitFor(() => expect(here.store.sent.describes).toBe(1));
    const closed = here.server.close(longDrain);
    kept.socket.write(post);
    // Arrives later than what was written before it.
    expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
    release();
    const answers = await kept.ended;
    expect([statusesOf(answers), connectionsOf(answers)]).toEqual([["200"], ["close"]]);
    await here.server.close({ drainMs: 0 });
    await closed;
    expect([here.store.sent.puts, await storedOf(here)]).toEqual([0, null]);
  });

  it("answers all that was under way on a connection, the last one saying that it ends", async () => {
    const here = await serving({ shutdownMs: 600_000 });
    const release = here.store.hold();
    const kept = openRaw(here.url, `${head("GET")}${head("GET", "/byok?details=true")}`);
    await waitFor(() => expect(here.store.sent.describes).toBe(2));
    const closed = here.server.close();
    release();
    const answers = await kept.ended;
    expect([statusesOf(answers), connectionsOf(answers)]).toEqual([
      ["200", "200"],
      ["keep-alive", "close"],
    ]);
    await closed;
  });

  it("carries out and answers in its drain what arrives on a connection that was kept, and ends that", async () => {
    const here = await serving();
    const kept = openRaw(here.url, head("GET", "/healthz"));
    await waitFor(() => expect(kept.received()).toContain('"ok"'));
    const closed = here.server.close(longDrain);
    kept.socket.write(post);
    const answers = await kept.ended;
    expect([statusesOf(answers), connectionsOf(answers)]).toEqual([
      ["200", "200"],
      ["keep-alive", "close"],
    ]);
    expect(await storedOf(here)).toEqual(expect.any(String));
    await here.server.close({ drainMs: 0 });
    await closed;
  });
});

describe("a request that is broken", () => {
  it("behind one under way is not answered, and lets that have its answer", async () => {
    await using here = await serving();
    const release = here.store.hold();
    const kept = openRaw(here.url, head("GET"));
    await waitFor(() => expect(here.store.sent.describes).toBe(1));
    kept.socket.write("no HTTP\r\n\r\n");
    expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
    release();
    const answers = await kept.ended;
    expect([statusesOf(answers), connectionsOf(answers)]).toEqual([["200"], ["close"]]);
  });

  it.each([
    ["no HTTP", "400", "no HTTP\r\n\r\n"],
    ["no host", "400", "GET /healthz HTTP/1.1\r\n\r\n"],
    ["headers without end", "431", `GET /byok HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(40_000)}\r\n\r\n`],
    ["an expectation", "417", "GET /byok HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n\r\n"],
    ["a body of broken chunks", "400", `${head("POST", "/byok", "transfer-encoding: chunked\r\n")}z\r\n`],
  ])("(%s) is %s with the headers that every answer has", async (_name, status, text) => {
    await using here = await serving();
    const connection = openRaw(here.url, text);
    await waitFor(() => expect(connection.received()).toMatch(/\r\n\r\n/u));
    expect(statusesOf(connection.received())).toEqual([status]);
    expect(connection.received()).toMatch(/^x-content-type-options: nosniff\r$/imu);
    expect(connection.received()).toMatch(/^cache-control: no-store\r$/imu);
    connection.socket.destroy();
  });
});
