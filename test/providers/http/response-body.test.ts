import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readWithin, removeKey, scrubResponse } from "../../../src/providers/http/response-body.ts";
import { Secret } from "../../../src/secret.ts";

const stalled = () => new Error("stalled");
const source = () => {
  const pushed = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const body = new ReadableStream<Uint8Array>({ start: (controller) => pushed.resolve(controller) });
  return { response: new Response(body), controller: pushed.promise };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a body", () => {
  it("is not ended by a reader that takes its time", async () => {
    const { response, controller } = source();
    const ended = vi.fn();
    const reader = readWithin(response, 100, ended, stalled).body?.getReader();
    for (const text of ["one", "two"]) {
      (await controller).enqueue(Buffer.from(text));
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(text);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    (await controller).close();
    expect(await reader?.read()).toMatchObject({ done: true });
    expect(ended).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("whose read is pending too long ends, and its request with it", async () => {
    const { response } = source();
    const ended = vi.fn();
    const read = readWithin(response, 100, ended, stalled).body?.getReader().read();
    const failed = expect(read).rejects.toThrow("stalled");
    await vi.advanceTimersByTimeAsync(100);
    await failed;
    expect(ended).toHaveBeenCalledOnce();
  });

  it("that is cancelled cancels its source", async () => {
    const cancelled = vi.fn();
    const response = new Response(new ReadableStream({ cancel: cancelled }));
    await readWithin(response, 100, () => {}, stalled).body?.cancel("enough");
    expect(cancelled).toHaveBeenCalledWith("enough");
  });
});

describe("an error's body", () => {
  const key = new Secret('key-with-"quotes"-0123');

  it("loses the key, also where JSON escaped it", () => {
    const echoed = `plain ${key.reveal()} and ${JSON.stringify({ sent: key.reveal() })}`;
    expect(removeKey(echoed, key)).toBe('plain [key removed] and {"sent":"[key removed]"}');
  });

  it("is kept up to 64 KB, its status and headers with it", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>(
      { pull: (controller) => (sent < 100 ? controller.enqueue(Buffer.alloc(10_000, ++sent)) : controller.close()) },
      { highWaterMark: 0 },
    );
    const kept = await scrubResponse(new Response(endless, { status: 500, headers: { "x-request-id": "r1" } }), key);
    expect((await kept.text()).length).toBe(65_536);
    expect(sent).toBe(7);
    expect([kept.status, kept.headers.get("x-request-id")]).toEqual([500, "r1"]);
  });
});
