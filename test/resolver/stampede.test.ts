import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyStore,
  memoryStore,
  type Provider,
} from "../../src/index.ts";
import { agent, platform, platformKeys, type Vendor, vendors } from "../support/worker.ts";

/** A database behind ten connections, each of which takes 20 ms for a statement. */
const behindPool = (store: KeyStore) => {
  const free = Array.from({ length: 10 }, (_, index) => index);
  const waiting: (() => void)[] = [];
  const statements: number[] = [];
  const snapshots: KeyStore["snapshots"] = async (orgIds) => {
    if (free.pop() === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    statements.push(orgIds.length);
    await pause(20);
    const next = waiting.shift();
    if (next === undefined) free.push(0);
    else next();
    return await store.snapshots(orgIds);
  };
  const poll: KeyStore["poll"] = async (cursor) => {
    await pause(20);
    return await store.poll(cursor);
  };
  return { store: { ...store, snapshots, poll }, statements };
};

it("a thousand organisations that are cold at once fail no call, on ten connections of 20 ms", async () => {
  const memory = memoryStore();
  await memory.migrate();
  const { store, statements } = behindPool(memory);
  const keyring = createKeyring(generateKeyring());
  await using resolver = createResolver<Vendor>({
    store,
    keyring,
    providers: vendors,
    platformKeys,
    deadlineMs: 15_000,
  });
  await resolver.ready();
  const calls = Array.from({ length: 1_000 }, (_, org) => resolver.resolve(`org-${org}`, agent));
  const settled = await Promise.allSettled(calls);
  expect(settled.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(statements.reduce((sum, orgs) => sum + orgs, 0)).toBe(1_000);
  expect(statements.length).toBeLessThan(40);
});

it("a thousand organisations that are cold at once fail no call while changes and polls never cease", async () => {
  const memory = memoryStore();
  await memory.migrate();
  const { store, statements } = behindPool(memory);
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, providers: vendors as readonly Provider[], verify: "off" });
  await using resolver = createResolver<Vendor>({ store, keyring, providers: vendors, platformKeys });
  await resolver.ready();
  let isBusy = true;
  const changing = (async () => {
    for (let change = 0; isBusy; change += 1) {
      await manager.set(`org-${change % 1_000}`, { provider: "ada", apiKey: `own-${change}` });
      await pause(1);
    }
  })();
  const polling = (async () => {
    while (isBusy) await resolver.ready();
  })();
  const calls = Array.from({ length: 1_000 }, (_, org) => resolver.resolve(`org-${org}`, agent));
  const settled = await Promise.allSettled(calls);
  isBusy = false;
  await Promise.all([changing, polling]);
  expect(settled.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(statements.reduce((sum, orgs) => sum + orgs, 0)).toBeLessThan(2_000);
});

it("a thousand calls of one cold organisation cost one read", async () => {
  const memory = memoryStore();
  await memory.migrate();
  const { store, statements } = behindPool(memory);
  const keyring = createKeyring(generateKeyring());
  await using resolver = createResolver<Vendor>({ store, keyring, providers: vendors, platformKeys });
  await Promise.all(Array.from({ length: 1_000 }, () => resolver.resolve("org", agent)));
  expect(statements).toEqual([1]);
});

it("organisations that are cold while the database stalls run on the platform's keys by the deadline, if the operator chose so", async () => {
  const { worker } = await platform();
  await using here = worker({ deadlineMs: 2_000, fallback: { store_unavailable: "platform" } });
  await here.resolver.resolve("warm", agent);
  here.link.hold();
  const calls = Array.from({ length: 12 }, (_, org) => here.resolver.resolve(`org-${org}`, agent));
  const settled = Promise.allSettled(calls);
  await here.clock.advance(1_999);
  for (const call of await settled) {
    expect(call).toMatchObject({
      status: "fulfilled",
      value: { llm: { source: "platform", reason: "store_unavailable" } },
    });
  }
});
