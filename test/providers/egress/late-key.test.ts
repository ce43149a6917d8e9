import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ByokError } from "../../../src/errors.ts";
import { openai } from "../../../src/providers/openai.ts";
import { type ChangingSupply, changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { type SlowTls, slowTls } from "../../support/slow-tls.ts";
import { waitFor } from "../../support/wait-for.ts";

let server: SlowTls;
let supply: ChangingSupply;
let send: typeof fetch;

beforeEach(async () => {
  server = await slowTls();
  supply = changingSupply(serving("key-of-monday", server.origin));
  send = egressOf(openai, supply).fetch;
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const revoked = new ByokError("key_revoked", "It is gone.", { orgId: "org", provider: "openai", slot: "llm" });
const tuesday = () => serving("key-of-tuesday", server.origin);

/** Sends, and changes what serves while the handshake is under way. */
async function duringHandshake(change: () => void, init?: RequestInit): Promise<Response> {
  const sent = send(`${server.origin}/path`, init);
  sent.catch(() => {});
  await waitFor(() => expect(server.waiting).toBe(1));
  change();
  server.release();
  return await sent;
}

const form = new FormData();
form.set("field", "hello");
const bodies: Readonly<Record<string, () => RequestInit["body"]>> = {
  nothing: () => undefined,
  "a string": () => "hello",
  "an ArrayBuffer": () => new TextEncoder().encode("hello").buffer,
  "a typed array": () => Buffer.from("hello"),
  "a DataView": () => new DataView(new TextEncoder().encode("hello").buffer),
  "a form in the URL's way": () => new URLSearchParams({ field: "hello" }),
  "a Blob": () => new Blob(["hello"]),
  "a form": () => form,
};

describe("while a connection opens", () => {
  it("a removed key is not sent", async () => {
    const sent = duringHandshake(() => {
      supply.now = revoked;
    });
    await expect(sent).rejects.toBe(revoked);
    expect(server.arrived).toEqual([]);
  });

  it("a key that cannot be told to serve any more is not sent", async () => {
    const sent = duringHandshake(() => {
      supply.now = undefined;
      supply.read = revoked;
    });
    await expect(sent).rejects.toBe(revoked);
    expect(server.arrived).toEqual([]);
  });

  it.each(Object.entries(bodies))("a newer key replaces the older one, with %s as body", async (_name, body) => {
    const { status } = await duringHandshake(
      () => {
        supply.now = tuesday();
      },
      { method: body() === undefined ? "GET" : "POST", body: body() ?? null },
    );
    expect(status).toBe(200);
    expect(server.arrived).toEqual([
      ["Bearer key-of-tuesday", body() === undefined ? "" : expect.stringContaining("hello")],
    ]);
    expect(supply.requests.map(({ serving: ran, status: said }) => [ran.secretId, said])).toEqual([
      ["key-of-tuesday", 200],
    ]);
  });

  it("a newer key of another host goes there", async () => {
    await using other = await slowTls();
    other.release();
    await duringHandshake(() => {
      supply.now = serving("key-of-tuesday", other.origin);
    });
    expect([server.arrived, other.arrived]).toEqual([[], [["Bearer key-of-tuesday", ""]]]);
  });

  it("a body that can be sent only once is not sent, and says so", async () => {
    const body = new Blob(["hello"]).stream();
    const sent = duringHandshake(
      () => {
        supply.now = tuesday();
      },
      { method: "POST", body, duplex: "half" } as RequestInit,
    );
    await expect(sent).rejects.toMatchObject({ code: "key_replaced", orgId: "org", provider: "openai", slot: "llm" });
    expect(server.arrived).toEqual([]);
  });

  it("a key that changes each time is given up", async () => {
    let turn = 0;
    const keys = Array.from({ length: 20 }, (_, index) => serving(`key-${index}`, server.origin));
    supply.peek = () => keys[turn++ % keys.length] as never;
    supply.decide = async () => supply.peek() as never;
    await expect(duringHandshake(() => {})).rejects.toMatchObject({ code: "key_replaced" });
    expect(server.arrived).toEqual([]);
  });

  it("a caller who gives up is answered with its own reason", async () => {
    const caller = new AbortController();
    const reason = new Error("no longer wanted");
    const sent = duringHandshake(() => caller.abort(reason), { signal: caller.signal });
    await expect(sent).rejects.toBe(reason);
    expect(server.arrived).toEqual([]);
  });

  it("a request ends at its time, and its connection carries it no more", async () => {
    send = egressOf(openai, supply, 100).fetch;
    await expect(send(`${server.origin}/path`)).rejects.toMatchObject({ code: "request_timeout", orgId: "org" });
    server.release();
    await egressOf(openai, supply).fetch(`${server.origin}/path`);
    expect(server.arrived).toHaveLength(1);
  });
});
