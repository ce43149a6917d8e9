import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openai } from "../../../src/providers/openai.ts";
import { egressOf, serving } from "../../support/egress.ts";

const key = "customer-key-0123456789";

/** Keeps what arrives as it is written: Node's own server would read Object.prototype too. */
async function plainServer() {
  const arrived: string[] = [];
  const server: Server = createServer((socket) => {
    let text = "";
    socket
      .on("error", () => {})
      .on("data", (bytes) => {
        text += bytes.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        const length = Number(/^content-length: (\d+)/imu.exec(text)?.[1] ?? 0);
        if (end < 0 || text.length < end + 4 + length) return;
        arrived.push(text);
        text = "";
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, arrived, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

let server: Awaited<ReturnType<typeof plainServer>>;
let other: Awaited<ReturnType<typeof plainServer>>;

beforeEach(async () => {
  [server, other] = [await plainServer(), await plainServer()];
});
afterEach(() => {
  for (const one of [server, other]) one.server.close();
});

/** Of `RequestInit`, of `Request` and of what undici's dispatchers take. */
const names = [
  ...[
    "method",
    "headers",
    "body",
    "referrer",
    "referrerPolicy",
    "mode",
    "credentials",
    "cache",
    "redirect",
    "integrity",
  ],
  ...["keepalive", "signal", "duplex", "priority", "window", "dispatcher", "url", "client", "origin", "path", "query"],
  ...["idempotent", "blocking", "upgrade", "headersTimeout", "bodyTimeout", "reset", "throwOnError", "expectContinue"],
  ...[
    "responseHeaders",
    "maxRedirections",
    "opaque",
    "servername",
    "host",
    "hostname",
    "protocol",
    "baseUrl",
    "websocketUrl",
  ],
  ...["authorization", "Authorization", "x-planted", "provider", "supply", "aim", "scrubs", "mayRepeat", "history"],
];

/** What somebody may plant: texts, and what texts cannot say. */
const values = (): readonly unknown[] => [
  other.origin,
  "POST",
  { "x-planted": "planted", authorization: "Bearer planted" },
  { dispatch: () => other.arrived.push("dispatched") },
  1,
  true,
];

describe("what somebody has put on Object.prototype", () => {
  it.each(names)("as %s changes neither host, nor headers, nor body of a request", async (name) => {
    const { fetch: send } = egressOf(openai, serving(key, server.origin));
    const ask = async (): Promise<void> => {
      const init = { method: "POST", body: "hello", headers: { accept: "x" } };
      // What the runtime itself makes of it is not asked here.
      for (const one of [{}, init])
        await send(`${server.origin}/path`, one)
          .then(async (answer) => void (await answer.text()))
          .catch(() => {});
    };
    await ask();
    const clean = server.arrived.splice(0);
    expect(clean).toHaveLength(2);
    for (const value of values()) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
      try {
        await ask();
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
    expect(other.arrived).toEqual([]);
    for (const text of server.arrived) expect(clean).toContain(text);
  });
});

describe("what somebody has put on Object.prototype for OpenAI's SDK", () => {
  it.each([
    "fetchOptions",
    "defaultQuery",
    "query",
    "headers",
    "path",
    "timeout",
  ])("as %s changes no request", async (name) => {
    const client = openai.connect(egressOf(openai, serving(key, server.origin)), await openai.load?.());
    const ask = async (): Promise<void> => {
      for (const one of [client, client.withOptions({ maxRetries: 0 })]) {
        await Promise.resolve(one.get("/models", { timeout: 2_000, maxRetries: 0 })).catch(() => {});
      }
    };
    await ask();
    const clean = server.arrived.splice(0);
    expect(clean).toHaveLength(2);
    for (const value of [
      { dispatcher: { dispatch: () => other.arrived.push("dispatched") } },
      { token: "planted", planted: "1" },
    ]) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
      try {
        await ask();
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
    expect(other.arrived).toEqual([]);
    for (const text of server.arrived) expect(clean).toContain(text);
  });
});

describe("a question whether there is a fetch", () => {
  it("is answered, and sends nothing", async () => {
    const { fetch: send } = egressOf(openai, serving(key, server.origin));
    for (const url of ["data:,", new URL("data:,hello"), new Request("data:,hello")])
      expect((await send(url)).status).toBe(200);
    expect(server.arrived).toEqual([]);
  });
});
