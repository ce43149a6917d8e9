import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type CachedSnapshot, SnapshotCodec } from "../../src/coherence/snapshot-codec.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  memoryStore,
  type Provider,
} from "../../src/index.ts";
import type { EntryCipher } from "../../src/keyring/entry-cipher.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { keyCacheContract } from "../../src/testing/index.ts";
import { failFastRedis, ownRedisServer, type RedisServer, redisCli } from "../servers/redis-server.ts";
import { tracesIn } from "../support/traces-of.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platformKeys, type Vendor, vendors } from "../support/worker.ts";

const clients: Redis[] = [];
const closing: (() => Promise<void>)[] = [];
let server: RedisServer;

const connect = async (url = inject("redisUrl")): Promise<Redis> => {
  const redis = failFastRedis(url);
  clients.push(redis);
  await waitFor(() => expect(redis.status).toBe("ready"));
  return redis;
};

/** A manager and workers on one database and one Redis, each with a connection of its own. */
const deployment = async (url: string, prefix = `${randomUUID()}:`, json = generateKeyring("kek-1")) => {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(json);
  const cache = redisCache({ redis: await connect(url), prefix });
  const manager = createKeyManager({ store, keyring, cache, providers: vendors as readonly Provider[] });
  const worker = async (ring = keyring, cacheOptions = {}, more = {}) => {
    const events: { readonly type: string; readonly from?: string; readonly reason?: string }[] = [];
    const redis = await connect(url);
    const resolver = createResolver<Vendor>({
      store,
      keyring: ring,
      cache: redisCache({ redis, prefix, ...cacheOptions }),
      providers: vendors,
      platformKeys,
      onEvent: (event) => events.push(event),
      ...more,
    });
    closing.push(() => resolver.close());
    await resolver.ready();
    const keyOf = async (orgId: string): Promise<string> =>
      (await resolver.resolve(orgId, agent)).llm.credential.key.reveal();
    const origins = (): string[] =>
      events.flatMap(({ type, from }) => (type === "snapshot_used" && from ? [from] : []));
    return { resolver, events, keyOf, origins, redis };
  };
  const entry = async (orgId: string): Promise<Buffer | null> =>
    (await clients[0]?.getBuffer(`${prefix}keys:${orgId}`)) ?? null;
  return { store, json, keyring, cache, manager, worker, prefix, entry };
};

beforeAll(async () => {
  server = await ownRedisServer(["--appendonly", "yes"]);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(async () => await server.stop());

describe("Redis as the shared cache", () => {
  keyCacheContract(it, async () => {
    const prefix = `${randomUUID()}:`;
    const again = async () => redisCache({ redis: await connect(), prefix });
    return { cache: await again(), again };
  });

  it("keeps entries for the time it was told, give or take a tenth", async () => {
    const redis = await connect();
    const prefix = `${randomUUID()}:`;
    const cache = redisCache({ redis, prefix, ttlMs: 100_000 });
    expect(cache.maxAgeMs).toBeCloseTo(110_000);
    for (let org = 0; org < 30; org += 1) await cache.set(`org-${org}`, Buffer.from("entry"));
    const left = await Promise.all(Array.from({ length: 30 }, (_, org) => redis.pttl(`${prefix}keys:org-${org}`)));
    for (const ms of left) expect(ms > 80_000 && ms <= 110_000).toBe(true);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(2_000);
  });

  it("warns of a client that would wait where it should fail fast, and stay away where it could be back", async () => {
    const patient = new Redis(inject("redisUrl"), { lazyConnect: true });
    const warnings = redisCache({ redis: patient }).warnings();
    expect(warnings.join(" ")).toMatch(/enableOfflineQueue: false.*commandTimeout.*socketTimeout.*reconnectOnError/su);
    expect(redisCache({ redis: await connect() }).warnings()).toEqual([]);
    patient.disconnect();
  });

  it.each(["before", "after"])("is down where its client was ended %s the resolver was built", async (when) => {
    const redis = await connect();
    if (when === "before") redis.disconnect();
    if (when === "before") await waitFor(() => expect(redis.status).toBe("end"));
    const store = memoryStore();
    await store.migrate();
    const keyring = createKeyring(generateKeyring());
    const resolver = createResolver({ store, keyring, cache: redisCache({ redis }) });
    if (when === "after") {
      expect(resolver.health().cache).toBe("up");
      redis.disconnect();
    }
    await waitFor(() => expect(resolver.health().cache).toBe("down"));
    await resolver.close();
  });

  it("warns of a client that has ended", async () => {
    const redis = await connect();
    redis.disconnect();
    await waitFor(() => expect(redisCache({ redis }).warnings().join(" ")).toContain("will not connect again"));
  });

  it.each([
    [undefined],
    ["redis://127.0.0.1"],
    [{}],
    [{ get() {}, duplicate() {}, options: {} }],
  ])("refuses %j, which is no client of ioredis", (redis) => {
    const build = (): unknown => redisCache({ redis: redis as unknown as Redis });
    expect(build).toThrow(expect.objectContaining({ code: "options_invalid" }));
  });

  it.each([
    "",
    "x",
    "[]",
    "{}",
    '{"org":7,"seq":1}',
    '{"org":"a","seq":-1}',
    JSON.stringify({ org: "a", seq: 9, more: "x".repeat(2_048) }),
  ])("drops the message %j", async (message) => {
    const redis = await connect();
    const prefix = `${randomUUID()}:`;
    const notices: unknown[] = [];
    const subscription = redisCache({ redis, prefix }).subscribe((notice) => notices.push(notice));
    await waitFor(async () => expect(await redis.publish(`${prefix}changes`, message)).toBe(1));
    await redis.publish(`${prefix}changes`, '{"org":"a","seq":1}');
    await waitFor(() => expect(notices).toEqual([{ orgId: "a", seq: 1 }]));
    subscription.close();
  });
});

describe("two workers on one Redis", () => {
  it("serve the second one's call from what the first one has read, absence too, with one command", async () => {
    const { manager, worker, store } = await deployment(server.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const [first, second] = [await worker(), await worker()];
    await first.keyOf("org");
    await first.keyOf("none");
    const monitor = new Redis(server.url);
    clients.push(monitor);
    const seen: string[] = [];
    const monitoring = await monitor.monitor();
    monitoring.on("monitor", (_time: string, [command, key]: string[]) => seen.push(`${command} ${key}`.toLowerCase()));
    const reads = vi.spyOn(store, "snapshots");
    await waitFor(async () => {
      expect(await second.keyOf("org")).toBe("own-ada");
      expect(second.origins()[0]).toBe("cache");
    });
    expect(await second.keyOf("none")).toBe("platform-ada");
    expect(second.origins().filter((from) => from === "cache")).toHaveLength(2);
    expect(reads).not.toHaveBeenCalled();
    await waitFor(() => expect(seen.filter((command) => command.startsWith("getrange "))).toHaveLength(2));
    monitoring.disconnect();
  });

  it("stop handing out a removed key as soon as the notice is there, and say that it was published", async () => {
    const { manager, keyring, worker, prefix } = await deployment(server.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    // Only the notice can tell them in time.
    const patient = { leaseMs: 240_000, pollMs: 120_000 };
    const [first, second] = [await worker(keyring, {}, patient), await worker(keyring, {}, patient)];
    for (const { keyOf } of [first, second]) expect(await keyOf("org")).toBe("own-ada");
    await waitFor(async () => expect(await clients[0]?.pubsub("NUMSUB", `${prefix}changes`)).toContain(2));
    const { published } = await manager.remove("org", { provider: "ada" });
    expect(published).toBe(true);
    for (const { keyOf } of [first, second]) {
      await waitFor(async () => expect(await keyOf("org")).toBe("platform-ada"));
    }
  });

  it("show a change that a call must see, even when Redis has taken no notice of it and keeps an older entry", async () => {
    const { manager, store, keyring, worker } = await deployment(server.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const [first, second] = [await worker(), await worker()];
    await first.keyOf("org");
    await waitFor(async () => expect(await second.keyOf("org")).toBe("own-ada"));
    const unheard = createKeyManager({ store, keyring, providers: vendors as readonly Provider[] });
    const { seq } = await unheard.remove("org", { provider: "ada" });
    const third = await worker();
    await unheard.set("other", { provider: "ada", apiKey: "own-ada" });
    for (const { resolver } of [second, third]) {
      const call = await resolver.resolve("org", agent, { atLeast: seq });
      expect(call.llm.credential.key.reveal()).toBe("platform-ada");
    }
  });

  it("refuse an entry that was put in another organisation's place, and an old one that was put back", async () => {
    const { manager, worker, prefix, entry } = await deployment(server.url);
    for (const org of ["a", "b"]) await manager.set(org, { provider: "ada", apiKey: `key-of-${org}` });
    const first = await worker();
    for (const org of ["a", "b"]) await first.keyOf(org);
    await waitFor(async () => expect((await entry("a")) !== null && (await entry("b")) !== null).toBe(true));
    const old = await entry("a");
    const redis = clients[0] as Redis;
    await redis.set(`${prefix}keys:b`, old ?? "");
    const second = await worker();
    expect(await second.keyOf("b")).toBe("key-of-b");
    expect(second.events).toContainEqual({ type: "entry_refused", orgId: "b", reason: "unopened" });
    await manager.set("a", { provider: "ada", apiKey: "newer-key-of-a" });
    await redis.set(`${prefix}keys:a`, old ?? "");
    const third = await worker();
    expect(await third.keyOf("a")).toBe("newer-key-of-a");
  });

  /** What a worker has written of an organisation that has a key. */
  const written = async ({ manager, worker, entry }: Awaited<ReturnType<typeof deployment>>): Promise<Buffer> => {
    await manager.set("org", { provider: "ada", apiKey: "another-ada" });
    await (await worker()).keyOf("org");
    return await waitFor(async () => {
      const bytes = await entry("org");
      expect(bytes).not.toBeNull();
      return bytes as Buffer;
    });
  };

  it.each<[string, string, (here: Awaited<ReturnType<typeof deployment>>) => Promise<Buffer>]>([
    [
      "does not open under a key that they have",
      "unopened",
      async (here) => {
        const bytes = await written(here);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
        return bytes;
      },
    ],
    ["was cut off", "unopened", async (here) => (await written(here)).subarray(0, 20)],
    ["is no entry", "unopened", async () => Buffer.from("x")],
    ["is too large", "too_large", async (here) => Buffer.concat([await written(here), Buffer.alloc(262_144)])],
    [
      "is of another database",
      "other_history",
      async ({ prefix, json }) => await written(await deployment(server.url, prefix, json)),
    ],
    [
      "is of a history of this database that was lost, under a number that was given again",
      "other_history",
      async (here) => {
        const codec = new SnapshotCodec(here.keyring.entryCipher as EntryCipher);
        const known = codec.open("org", await written(here)) as CachedSnapshot;
        return Buffer.from(codec.seal({ ...known, asOf: known.asOf + 1, changeId: "lost" }) ?? []);
      },
    ],
  ])("take an entry for a miss that %s, count it, and replace it", async (_what, reason, spoil) => {
    const here = await deployment(server.url);
    const spoilt = await spoil(here);
    await here.manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await clients[0]?.set(`${here.prefix}keys:org`, spoilt);
    const first = await here.worker();
    expect(await first.keyOf("org")).toBe("own-ada");
    expect(first.events.filter(({ type }) => type === "entry_refused")).toEqual([
      { type: "entry_refused", orgId: "org", reason },
    ]);
    await waitFor(async () => expect((await here.entry("org"))?.equals(spoilt)).toBe(false));
    const second = await here.worker();
    expect(await second.keyOf("org")).toBe("own-ada");
    expect(second.origins()).toEqual(["cache"]);
  });

  it("leave an entry alone that is sealed under a key of another rollout", async () => {
    const { manager, worker, json, entry } = await deployment(server.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const newer = generateKeyring("kek-2");
    const rolled = createKeyring({ ...json, cache: newer.cache });
    const [old, rolledOut] = [await worker(), await worker(rolled)];
    await old.keyOf("org");
    await waitFor(async () => expect(await entry("org")).not.toBeNull());
    const before = await entry("org");
    expect(await rolledOut.keyOf("org")).toBe("own-ada");
    expect(rolledOut.events).toContainEqual({ type: "entry_refused", orgId: "org", reason: "unknown_kid" });
    expect((await entry("org"))?.equals(before ?? Buffer.alloc(0))).toBe(true);
  });

  it("leave no key in Redis' files nor in what it is sent", async () => {
    const { manager, worker, entry } = await deployment(server.url);
    const planted = "planted-key-AbCdEfGhIjKlMnOpQrStUvWxYz-0123456789";
    const monitor = new Redis(server.url);
    clients.push(monitor);
    const seen: string[] = [];
    const monitoring = await monitor.monitor();
    monitoring.on("monitor", (_time: string, command: string[]) => seen.push(command.join(" ")));
    for (const org of ["a", "b"]) await manager.set(org, { provider: "ada", apiKey: planted });
    const first = await worker();
    for (const org of ["a", "b", "none"]) await first.keyOf(org);
    await waitFor(async () => expect(await entry("none")).not.toBeNull());
    await manager.remove("a", { provider: "ada" });
    redisCli(server.port, "SAVE");
    const files = readdirSync(server.folder, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)));
    const sealed = (await entry("b")) ?? Buffer.alloc(1);
    expect(
      files.some((file) => file.includes(sealed)),
      "The scan does not reach the entries.",
    ).toBe(true);
    expect(seen.length).toBeGreaterThan(3);
    for (const bytes of [...files, Buffer.from(seen.join("\n"))]) expect(tracesIn(bytes, planted)).toEqual([]);
    monitoring.disconnect();
  });
});

describe("while Redis is", () => {
  it("dead, every call is served by its deadline, and coming back needs no restart", async () => {
    const own = await ownRedisServer();
    const { manager, worker } = await deployment(own.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const here = await worker();
    await own.kill();
    const { published } = await manager.set("org", { provider: "ada", apiKey: "newer-ada" });
    expect(published).toBe(false);
    for (let org = 0; org < 20; org += 1) expect(await here.keyOf(`org-${org}`)).toBe("platform-ada");
    expect(here.resolver.health()).toMatchObject({ cache: "down", isReady: true });
    expect(here.events).toContainEqual({ type: "cache_down" });
    await own.start();
    await waitFor(async () => {
      await here.keyOf(randomUUID());
      expect(here.resolver.health().cache).toBe("up");
    });
    await here.resolver.close();
    await own.stop();
  });

  it("stopped, no call waits for it longer than its time-out", async () => {
    const own = await ownRedisServer();
    const { manager, worker } = await deployment(own.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const here = await worker();
    own.process.kill("SIGSTOP");
    for (let org = 0; org < 20; org += 1) {
      const call = await here.resolver.resolve(`org-${org}`, agent, { deadlineMs: 5_000 });
      expect(call.llm.credential.key.reveal()).toBe("platform-ada");
    }
    expect(here.resolver.health().cache).toBe("down");
    expect(await here.keyOf("org")).toBe("own-ada");
    own.process.kill("SIGCONT");
    await here.resolver.close();
    await own.stop();
  });

  it("flooded with forged messages, the database is polled at most ten times a second", async () => {
    const { manager, worker, store, prefix } = await deployment(server.url);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const here = await worker();
    await here.keyOf("org");
    const polls = vi.spyOn(store, "poll");
    const forged = await connect(server.url);
    const startedAt = performance.now();
    await waitFor(async () => expect(await forged.publish(`${prefix}changes`, '{"org":"org","seq":999999}')).toBe(1));
    for (let sent = 0; sent < 5_000; sent += 1) {
      await forged.publish(`${prefix}changes`, JSON.stringify({ org: "org", seq: 1_000_000 + sent }));
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(polls.mock.calls.length).toBeGreaterThan(0);
    expect(polls.mock.calls.length).toBeLessThanOrEqual(5 + 10 * seconds + seconds / 2.5 + 2);
  });
});

it("a resolver with a cache whose keyring cannot seal entries is options_invalid", async () => {
  const { seal, open } = createKeyring(generateKeyring());
  const cache = redisCache({ redis: await connect() });
  expect(() => createResolver({ store: memoryStore(), keyring: { seal, open }, cache })).toThrow(
    expect.objectContaining({ code: "options_invalid" }),
  );
});
