import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { Connections } from "../../../src/http/server/connections.ts";
import { waitFor } from "../../support/wait-for.ts";
import { headers, openRaw, serving, token } from "./serving.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
/** More than the system takes off a server's hands for a client that does not read. */
const long = Buffer.alloc(64 * 1_024 * 1_024);

/** A server whose answers are as long as that. */
const servingLong = async (max: number) => {
  const admissions: string[] = [];
  const errors: unknown[] = [];
  const server = createServer((request, response) => {
    const admission = connections.admit(request, response);
    admissions.push(admission);
    if (admission === "answer") setImmediate(() => response.end(long));
    if (admission === "refuse") response.writeHead(503).end();
  });
  const connections = new Connections(server, max, (error) => errors.push(error));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, connections, admissions, errors, port, url: `http://127.0.0.1:${port}` };
};

describe("more connections than there may be", () => {
  it.each([
    ["send nothing", ""],
    ["send half a head", "GET /byok HTTP/1.1\r\nhost: x\r\n"],
    ["have had their answer", get("/healthz")],
  ])("refuse nobody while they %s", async (_name, text) => {
    await using here = await serving({ maxConnections: 10 });
    const idle = Array.from({ length: 30 }, () => openRaw(here.url, text));
    await Promise.all(idle.slice(0, 20).map(({ ended }) => ended));
    for (let times = 0; times < 5; times += 1) {
      const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(`${here.url}/byok`, { headers })));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    }
    for (const { socket } of idle) socket.destroy();
  });

  it("end none that has a request under way", async () => {
    await using here = await serving({ maxConnections: 4 });
    const release = here.store.hold();
    const busy = Array.from({ length: 3 }, () => openRaw(here.url, get("/byok")));
    await waitFor(() => expect(here.store.sent.describes).toBe(3));
    await Promise.all(
      Array.from({ length: 20 }, () => openRaw(here.url))
        .slice(0, 19)
        .map(({ ended }) => ended),
    );
    expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
    const fourth = openRaw(here.url, get("/byok"));
    await waitFor(() => expect(here.store.sent.describes).toBe(4));
    expect(await openRaw(here.url, get("/healthz")).ended).toBe("");
    release();
    await waitFor(() => {
      for (const { received } of [...busy, fourth]) expect(received()).toMatch(/^HTTP\/1\.1 200/u);
    });
    for (const { socket } of [...busy, fourth]) socket.destroy();
  });

  it("end one whose client does not take its answer", async () => {
    const here = await servingLong(2);
    const stalled = connect(here.port, "127.0.0.1");
    const ended = new Promise((resolve) => stalled.once("close", resolve));
    stalled.on("error", () => {});
    stalled.write(get("/"));
    await waitFor(() => expect(here.admissions).toEqual(["answer"]));
    const idle = [openRaw(here.url), openRaw(here.url)];
    // A client that does not read learns of its connection's end when it begins to.
    await waitFor(async () => expect(await countOf(here.server)).toBe(2));
    let size = 0;
    stalled.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    await ended;
    expect(size).toBeLessThan(long.length);
    for (const { socket } of idle) socket.destroy();
    await here.connections.close(60_000);
  });

  it("or a process that may open no more files give up what waits longest, and the server goes on", async () => {
    const here = await servingLong(10);
    const [first, second] = [openRaw(here.url), openRaw(here.url)];
    await waitFor(async () => expect(await countOf(here.server)).toBe(2));
    here.server.emit("error", new Error("accept EMFILE"));
    expect(await Promise.race([first.ended, second.ended])).toBe("");
    await waitFor(async () => expect(await countOf(here.server)).toBe(1));
    expect(here.errors).toHaveLength(1);
    await here.connections.close(60_000);
  });
});

describe("connections of a server that closes", () => {
  it("are not asked for anything behind the answer that is their last", async () => {
    const here = await servingLong(10);
    const client = connect(here.port, "127.0.0.1");
    client.on("error", () => {});
    here.server.once("request", () => here.connections.drain());
    client.write(`${get("/")}${get("/")}`);
    await waitFor(() => expect(here.admissions).toHaveLength(2));
    expect(here.admissions).toEqual(["answer", "ignore"]);
    client.destroy();
    await here.connections.close(60_000);
  });

  it("get the whole of an answer that is on its way, and what is sent behind it is not carried out", async () => {
    const here = await servingLong(10);
    const client = connect(here.port, "127.0.0.1");
    client.on("error", () => {});
    client.write(get("/"));
    await waitFor(() => expect(here.admissions).toEqual(["answer"]));
    const closed = here.connections.close(60_000);
    client.write(get("/"));
    let size = 0;
    client.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    await Promise.all([closed, new Promise((resolve) => client.once("close", resolve))]);
    expect(size).toBeGreaterThan(long.length);
    expect(here.admissions.slice(1)).not.toContain("answer");
  });
});

const countOf = (server: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
