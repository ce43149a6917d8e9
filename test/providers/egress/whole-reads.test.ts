import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openai } from "../../../src/index.ts";
import { readBody } from "../../../src/providers/egress/read-body.ts";
import { changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";

const key = "customer-key-0123456789";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function served(answer: RequestListener, requestTimeoutMs = 5_000) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const egress = egressOf(openai, changingSupply(serving(key, origin)), requestTimeoutMs);
  return { origin, send: async (init?: RequestInit): Promise<Response> => await egress.fetch(`${origin}/`, init) };
}

/** Answers with JSON in two parts, cut at `at`; never ends where `at` is absent. */
function parts(text: string | Buffer, at?: number): RequestListener {
  const bytes = Buffer.from(text);
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(bytes.subarray(0, at), () => {
      if (at !== undefined) setImmediate(() => response.end(bytes.subarray(at)));
    });
  };
}

const reads = {
  text: async (answer: Response) => await answer.text(),
  json: async (answer: Response) => JSON.stringify(await answer.json()),
  arrayBuffer: async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString(),
  bytes: async (answer: Response) => Buffer.from(await answer.bytes()).toString(),
} as const;
const ways = Object.keys(reads) as (keyof typeof reads)[];
const others = ["blob", "formData"] as const;

describe.each(ways)("an answer read whole by %s()", (way) => {
  const read = reads[way];

  it("comes without the key, wherever it is cut", async () => {
    const shown = '{"a":"é[key removed]","b":"[key removed]"}';
    const sent = Buffer.from(`{"a":"é${key}","b":"${key.replaceAll("-", "\\u002d")}"}`);
    for (const at of [1, 6, 7, 8, 10, 20, 40, 45, sent.length - 1]) {
      const { send } = await served(parts(sent, at));
      expect(await read(await send())).toBe(shown);
    }
  });

  it("is what the runtime would read", async () => {
    for (const bytes of [Buffer.from('\ufeff{"a":"€"}'), Buffer.from('{"a":"\xff\xe2\x82"}', "latin1")]) {
      const { origin, send } = await served(parts(bytes, 7));
      expect(await read(await send())).toBe(await read(await fetch(origin)));
    }
  });

  it("is used up from then on, as without byokit", async () => {
    const { origin, send } = await served(parts('{"a":1}', 3));
    for (const answer of [await send(), await fetch(origin)]) {
      const reading = read(answer);
      expect(answer.bodyUsed).toBe(true);
      await expect(answer.text()).rejects.toBeInstanceOf(TypeError);
      expect(await reading).toBe('{"a":1}');
      for (const again of [...ways, ...others]) await expect(answer[again]()).rejects.toBeInstanceOf(TypeError);
      expect(() => answer.clone()).toThrow(TypeError);
      expect(answer.bodyUsed).toBe(true);
    }
  });

  it("shows a locked stream and no other", async () => {
    const { send } = await served(parts(`{"a":"${key}"}`, 10));
    const answer = await send();
    const reading = read(answer);
    expect(answer.body?.locked).toBe(true);
    await reading;
    expect(answer.body?.locked).toBe(true);
    expect(() => answer.body?.getReader()).toThrow(TypeError);
  });

  it("is read from the stream that was asked for before", async () => {
    const { send } = await served(parts(`{"a":"${key}"}`, 10));
    const answer = await send();
    const { body } = answer;
    expect(await read(answer)).toBe('{"a":"[key removed]"}');
    expect(answer.body).toBe(body);
    await expect(answer.text()).rejects.toBeInstanceOf(TypeError);
  });

  it("ends with a typed failure when it stalls, and closes its connection", async () => {
    let closed = (): void => {};
    const hungUp = new Promise<void>((resolve) => (closed = resolve));
    const stall = parts('{"a":');
    const { send } = await served((request, response) => {
      response.once("close", closed);
      stall(request, response);
    }, 100);
    await expect(read(await send())).rejects.toMatchObject({ code: "request_timeout", orgId: "org", slot: "llm" });
    await hungUp;
  });

  it("ends with a typed failure when it breaks off", async () => {
    const { send } = await served((_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write('{"a":', () => response.destroy());
    });
    await expect(read(await send())).rejects.toMatchObject({ code: "provider_failed", orgId: "org", slot: "llm" });
  });

  it("ends with the caller's reason when it is aborted", async () => {
    const { send } = await served(parts('{"a":'));
    const caller = new AbortController();
    const reading = read(await send({ signal: caller.signal }));
    const reason = new Error("no longer wanted");
    caller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});

describe("an answer", () => {
  it("that is no JSON is a syntax error without the key", async () => {
    const { send } = await served((_request, response) => response.end(`${key} is wrong`));
    const failure: unknown = await (await send()).json().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SyntaxError);
    expect(String(failure)).not.toContain("customer");
  });

  it("without a body is read as often as without byokit", async () => {
    const { send } = await served((_request, response) => response.writeHead(204).end());
    const answer = await send();
    expect([await answer.text(), await answer.text(), answer.bodyUsed, (await answer.blob()).size]).toEqual([
      "",
      "",
      false,
      0,
    ]);
    await expect(answer.json()).rejects.toBeInstanceOf(SyntaxError);
  });

  it("has everything that a Response has", async () => {
    const { origin, send } = await served((_request, response) => response.end("{}"));
    const [answer, bare] = [await send(), await fetch(`${origin}/`)];
    const names = Object.keys(Object.getOwnPropertyDescriptors(Response.prototype)) as (keyof Response)[];
    const ofValues = names.filter((name) => typeof bare[name] !== "function" && name !== "headers" && name !== "body");
    expect(ofValues.map((name) => [name, answer[name]])).toEqual(ofValues.map((name) => [name, bare[name]]));
    expect(answer).toBeInstanceOf(Response);
    expect(String(answer)).toBe("[object Response]");
    const copy = new Response(answer.body, answer);
    expect([copy.status, await copy.text()]).toEqual([200, "{}"]);
  });
});

describe("a whole read", () => {
  it("may take longer than one chunk may", async () => {
    vi.useFakeTimers();
    let add: (text: string) => void = () => {};
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        add = (text) => controller.enqueue(new Uint8Array(Buffer.from(text)));
        end = () => controller.close();
      },
    });
    const options = { limitMs: 100, expiry: () => new Error("late"), toFailure: (error: unknown) => error };
    const reading = readBody(body, { ...options, scrubber: undefined });
    reading.catch(() => {});
    for (let turn = 0; turn < 5; turn += 1) {
      await vi.advanceTimersByTimeAsync(80);
      add(`${turn}`);
    }
    await vi.advanceTimersByTimeAsync(80);
    end();
    expect(Buffer.from(await reading).toString()).toBe("01234");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a fetch of the runtime's that somebody has replaced", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("is handed the headers also where it is wrapped by a function that waits", async () => {
    const { send } = await served(({ headers }, response) => response.end(headers.authorization));
    const runtimes = globalThis.fetch;
    vi.stubGlobal("fetch", async (...given: Parameters<typeof fetch>) => {
      await Promise.resolve();
      return await runtimes(...given);
    });
    expect((await send()).status).toBe(200);
    vi.unstubAllGlobals();
    expect(await (await send()).text()).toBe("Bearer [key removed]");
    vi.stubGlobal("fetch", async (...given: Parameters<typeof fetch>) => {
      await Promise.resolve();
      return await runtimes(...given);
    });
    expect(await (await send()).text()).toBe("Bearer [key removed]");
  });

  it("may answer in chunks that share their memory", async () => {
    const { send } = await served(() => {});
    const whole = new TextEncoder().encode(JSON.stringify({ said: "x".repeat(100) }));
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < whole.length; at += 40) controller.enqueue(whole.subarray(at, at + 40));
        controller.close();
      },
    });
    vi.stubGlobal("fetch", async () => new Response(body));
    expect((await (await send()).text()).length).toBe(whole.length);
  });
});

it("a Blob's type comes without the key", async () => {
  const { send } = await served((_request, response) =>
    response.writeHead(200, { "content-type": `text/plain;echo=${key}` }).end("hello"),
  );
  expect((await (await send()).blob()).type).toMatch(/^text\/plain;echo="?\[key removed\]"?$/u);
});
