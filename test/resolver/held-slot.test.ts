import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Keyring, Resolver } from "../../src/index.ts";
import {
  ByokError,
  byokErrorOf,
  createKeyManager,
  createKeyring,
  generateKeyring,
  memoryStore,
} from "../../src/index.ts";
import { type HeldWorld, heldWorld } from "../support/held-world.ts";
import { waitFor } from "../support/wait-for.ts";

const agent = { llm_config: { provider: "openai" } } as const;
let world: HeldWorld;
let server: HeldWorld["server"];
let manager: HeldWorld["manager"];
let link: HeldWorld["link"];
let events: HeldWorld["events"];
let open: HeldWorld["open"];
let sentKeys: HeldWorld["sentKeys"];

beforeEach(async () => {
  world = await heldWorld();
  ({ server, manager, link, events, open, sentKeys } = world);
  await manager.set("org", { provider: "openai", apiKey: "key-of-monday" });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe("a slot that a call holds", () => {
  it("sends the key that serves now, after it was replaced", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    await llm.client.models.list();
    const { seq } = await manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    await resolver.resolve("org", agent, { atLeast: seq });
    await llm.client.models.list();
    await llm.fetch("https://api.openai.com/v1/models");
    expect(sentKeys()).toEqual(["Bearer key-of-monday", "Bearer key-of-tuesday", "Bearer key-of-tuesday"]);
  });

  it("never sends a removed key again", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    await llm.client.models.list();
    await manager.remove("org", { provider: "openai" });
    await waitFor(async () => {
      const error = await llm.client.models.list().catch((one: unknown) => one);
      expect(byokErrorOf(error)).toMatchObject({ code: "key_revoked", orgId: "org", provider: "openai", slot: "llm" });
    });
    const { length } = server.arrived;
    await llm.fetch("https://api.openai.com/v1/models").catch(() => {});
    expect(server.arrived).toHaveLength(length);
  });

  it("tells its signal when the key is removed, and closes the sockets that it opened", async () => {
    await using resolver = open();
    const { realtime } = await resolver.resolve("org", { realtime_config: { provider: "openai" } });
    const socket = await realtime.connect();
    const closed = new Promise((resolve) => socket.socket.once("close", resolve));
    const { signal } = realtime;
    await manager.remove("org", { provider: "openai" });
    await closed;
    await waitFor(() => expect(signal.aborted).toBe(true));
    expect(signal.reason).toMatchObject({ code: "key_revoked" });
  });

  it("goes on while the database is away, and tells of it once", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    link.isDown = true;
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
    await llm.client.models.list();
    await llm.client.models.list();
    expect(events.filter(({ type }) => type === "stale")).toHaveLength(1);
  });

  it("goes on the platform's key where `fallback` allows it, and says so", async () => {
    await using resolver = open({ platformKeys: { openai: "key-of-the-platform" } });
    const { llm } = await resolver.resolve("org", agent);
    const { seq } = await manager.remove("org", { provider: "openai" });
    await resolver.resolve("org", agent, { atLeast: seq });
    await llm.client.models.list();
    expect(sentKeys()).toEqual(["Bearer key-of-the-platform"]);
    const changed = { type: "source_changed", orgId: "org", provider: "openai", slot: "llm", source: "platform" };
    expect(events).toContainEqual({ ...changed, secretId: null, failure: "absent" });
    expect(events).toContainEqual(expect.objectContaining({ type: "request", source: "platform", status: 200 }));
  });

  it("is renewed as it serves now", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    await manager.set("org", { provider: "openai", apiKey: "key-of-tuesday" });
    const renewed = await llm.renew();
    expect(renewed.credential.key.reveal()).toBe("key-of-tuesday");
    expect(renewed.secretId).not.toBe(llm.secretId);
  });

  it("has no client where `clients` leaves its provider out, and every other way", async () => {
    await using resolver = open({ clients: ["deepgram"] });
    const { llm, realtime } = await resolver.resolve("org", { ...agent, realtime_config: { provider: "openai" } });
    expect(() => llm.client).toThrow(expect.objectContaining({ code: "options_invalid", provider: "openai" }));
    await expect(realtime.connect()).rejects.toMatchObject({ code: "options_invalid", slot: "realtime" });
    await llm.fetch("https://api.openai.com/v1/models");
    expect(sentKeys()).toEqual(["Bearer key-of-monday"]);
  });
});

describe("while the database is away", () => {
  const expectLeaseToEnd = async (resolver: Resolver): Promise<void> => {
    link.isDown = true;
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
  };

  it.each([0, 1])("a slot does not go on past `callStaleMs`, such as %i", async (callStaleMs) => {
    await using resolver = open({ callStaleMs });
    const { llm } = await resolver.resolve("org", agent);
    await expectLeaseToEnd(resolver);
    await waitFor(async () => {
      const error = await llm.fetch("https://api.openai.com/v1/models").catch((one: unknown) => one);
      expect(byokErrorOf(error)).toMatchObject({ code: "store_unavailable", slot: "llm" });
    });
  });

  it("a slot does not go on past a change that is known", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const { seq } = await manager.remove("org", { provider: "openai" });
    await waitFor(() => expect(resolver.health().feed.lastSeq).toBe(seq));
    await expectLeaseToEnd(resolver);
    const error = await llm.fetch("https://api.openai.com/v1/models").catch((one: unknown) => one);
    expect(byokErrorOf(error)).toMatchObject({ code: "store_unavailable", slot: "llm" });
    expect(server.arrived).toEqual([]);
  });

  it("a slot goes on although nobody has told yet that it is away", async () => {
    await using resolver = open({ leaseMs: 100, pollMs: 50, deadlineMs: 3_000 });
    const { llm } = await resolver.resolve("org", agent);
    const release = link.hold();
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
    expect(resolver.health().feed.failures).toBe(0);
    await llm.fetch("https://api.openai.com/v1/models");
    expect(sentKeys()).toEqual(["Bearer key-of-monday"]);
    release();
  });

  it("a signal does not fire while nobody can read what serves, and fires once it can be read", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    const { snapshots } = link;
    let reads = 0;
    link.snapshots = async () => {
      reads += 1;
      throw new ByokError("store_unavailable", "It cannot be read. Try again.");
    };
    await manager.remove("org", { provider: "openai" });
    await waitFor(() => expect(reads).toBeGreaterThan(1));
    expect(signal.aborted).toBe(false);
    link.snapshots = snapshots;
    await waitFor(() => expect(signal.aborted).toBe(true));
  });

  it("a signal does not fire, and fires when the database is back and tells of a removal", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    await manager.remove("org", { provider: "openai" });
    await expectLeaseToEnd(resolver);
    expect(signal.aborted).toBe(false);
    link.isDown = false;
    await waitFor(() => expect(signal.aborted).toBe(true));
    expect(signal.reason).toMatchObject({ code: "key_revoked", orgId: "org", slot: "llm" });
  });
});

describe("a slot's signal", () => {
  it("does not fire for another provider's key, nor for another organisation's", async () => {
    await using resolver = open();
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    await manager.set("org", { provider: "deepgram", apiKey: "key-of-deepgram" });
    await manager.remove("other", { provider: "openai" }).catch(() => {});
    const { seq } = await manager.set("other", { provider: "openai", apiKey: "key-of-other" });
    await waitFor(() => expect(resolver.health().feed.lastSeq).toBeGreaterThanOrEqual(seq));
    await llm.renew();
    expect(signal.aborted).toBe(false);
  });

  it("fires when another region serves, without any other call", async () => {
    await using resolver = open({ endpoints: {} });
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    await manager.set("org", { provider: "openai", apiKey: "key-of-monday", region: "eu" });
    await waitFor(() => expect(signal.aborted).toBe(true));
    expect(signal.reason).toMatchObject({ code: "key_replaced" });
  });

  it("fires although memory has forgotten the organisation", async () => {
    await using resolver = open({ maxOrgs: 1 });
    const { llm } = await resolver.resolve("org", agent);
    const { signal } = llm;
    await manager.set("other", { provider: "openai", apiKey: "key-of-other" });
    await resolver.resolve("other", agent);
    await manager.remove("org", { provider: "openai" });
    await waitFor(() => expect(signal.aborted).toBe(true));
  });
});

describe("a slot that was resolved while the database is away", () => {
  it("sends on the platform's key, as long as absence is believed", async () => {
    await using resolver = open({ platformKeys: { openai: "key-of-the-platform" } });
    await resolver.resolve("none", agent);
    link.isDown = true;
    await waitFor(() => expect(resolver.health().lease.leftMs).toBe(0));
    const { llm } = await resolver.resolve("none", agent);
    expect(llm).toMatchObject({ source: "platform", stale: true });
    await llm.client.models.list();
    expect(sentKeys()).toEqual(["Bearer key-of-the-platform"]);
  });

  it("sends on a key that is served past its lease, or on what `fallback` says", async () => {
    const platformKeys = { openai: "key-of-the-platform" };
    await using stale = open({ serveStaleMs: 60_000 });
    await using fallback = open({ platformKeys, fallback: { store_unavailable: "platform" } });
    await stale.resolve("org", agent);
    link.isDown = true;
    await waitFor(() => expect(stale.health().lease.leftMs).toBe(0));
    for (const resolver of [stale, fallback]) await (await resolver.resolve("org", agent)).llm.client.models.list();
    expect(sentKeys()).toEqual(["Bearer key-of-monday", "Bearer key-of-the-platform"]);
  });
});

it("a signal that is first read after a removal fires, whether or not a request has gone out since", async () => {
  await using resolver = open({ platformKeys: { openai: "key-of-the-platform" } });
  const [silent, sending] = await Promise.all([resolver.resolve("org", agent), resolver.resolve("org", agent)]);
  const { seq } = await manager.remove("org", { provider: "openai" });
  await resolver.resolve("org", agent, { atLeast: seq });
  await waitFor(() => expect(resolver.health().feed.lastSeq).toBeGreaterThanOrEqual(seq));
  await sending.llm.client.models.list();
  const signals = [silent.llm.signal, sending.llm.signal];
  await waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]));
});

it("a key service that is away fires no signal and fails no request of a key that is open", async () => {
  const keyring = createKeyring(generateKeyring());
  let isDown = false;
  const remote: Keyring = {
    seal: (key, context) => keyring.seal(key, context),
    open: async (sealed, context) => {
      if (isDown) throw new ByokError("keyring_unavailable", "The key service does not answer. Try again.");
      return await keyring.open(sealed, context);
    },
  };
  const store = memoryStore();
  await store.migrate();
  const keys = createKeyManager({ store, keyring, verify: "off" });
  await keys.set("org", { provider: "openai", apiKey: "key-of-monday" });
  await using resolver = open({ store, keyring: remote });
  const { llm } = await resolver.resolve("org", agent);
  const { signal } = llm;
  isDown = true;
  const { seq } = await keys.set("org", { provider: "deepgram", apiKey: "key-of-deepgram" });
  await waitFor(() => expect(events).toContainEqual(expect.objectContaining({ type: "snapshot_used" })));
  await waitFor(() => expect(resolver.health().feed.lastSeq).toBe(seq));
  await llm.renew().catch(() => {});
  expect(signal.aborted).toBe(false);
  await llm.client.models.list();
  expect([signal.aborted, sentKeys()]).toEqual([false, ["Bearer key-of-monday"]]);
});

it("a removal closes sockets although the function that is `fallback` fails", async () => {
  let isBroken = false;
  const fallback = (): "fail" => {
    if (isBroken) throw new Error("A bug.");
    return "fail";
  };
  await using resolver = open({ fallback });
  const { realtime } = await resolver.resolve("org", { realtime_config: { provider: "openai" } });
  const socket = await realtime.connect();
  const closed = new Promise((resolve) => socket.socket.once("close", resolve));
  isBroken = true;
  await manager.remove("org", { provider: "openai" });
  await closed;
});

it("a resolver that is closed closes the sockets of its slots, and says so to their signals", async () => {
  const resolver = open();
  const { realtime } = await resolver.resolve("org", { realtime_config: { provider: "openai" } });
  const socket = await realtime.connect();
  const closed = new Promise((resolve) => socket.socket.once("close", resolve));
  const { signal } = realtime;
  await resolver.close();
  await closed;
  await waitFor(() => expect(signal.reason).toMatchObject({ code: "closed" }));
});

it("after the resolver is closed no slot sends", async () => {
  const resolver = open();
  const { llm } = await resolver.resolve("org", agent);
  await resolver.close();
  const error = await llm.client.models.list().catch((one: unknown) => one);
  expect(byokErrorOf(error)).toMatchObject({ code: "closed" });
  expect(server.arrived).toEqual([]);
});
