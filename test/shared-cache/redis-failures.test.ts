import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect as dial } from "node:net";
import { resolve } from "node:path";
import { createServer } from "node:tls";
import { Redis } from "ioredis";
import selfsigned from "selfsigned";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../../src/index.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { ResolverEvent } from "../../src/resolver/resolver-event.ts";
import type { ChangeNotice, KeyCache } from "../../src/shared-cache/key-cache.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { freePort } from "../servers/free-port.ts";
import { ownRedisServer, type RedisServer, redisCli } from "../servers/redis-server.ts";
import { idleCache } from "../support/idle-cache.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platformKeys, type Vendor, vendors } from "../support/worker.ts";

const closing: (() => unknown)[] = [];
let server: RedisServer;
let replica: RedisServer;

beforeAll(async () => {
  server = await ownRedisServer(["--maxmemory-policy", "noeviction"]);
  replica = await ownRedisServer(["--replicaof", "127.0.0.1", String(server.port)]);
  const rights = ["on", ">right", "resetkeys", "~*", "+@all"];
  redisCli(server.port, "ACL", "SETUSER", "deaf", ...rights, "resetchannels");
  redisCli(server.port, "ACL", "SETUSER", "blind", ...rights, "&*", "-getrange");
  redisCli(server.port, "ACL", "SETUSER", "mute", ...rights, "&*", "-publish");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  for (const one of [replica, server]) await one.stop();
});

const failFast = {
  enableOfflineQueue: false,
  commandTimeout: 200,
  socketTimeout: 2_000,
  maxRetriesPerRequest: 0,
  reconnectOnError: () => false,
} as const;

/** Without a listener for errors: that is what is tested. */
const client = (url: string, { keyPrefix = "" } = {}): Redis => {
  const redis = new Redis(url, { ...failFast, keyPrefix });
  closing.push(() => redis.disconnect());
  return redis;
};

const platform = async (redis: Redis, prefix = `${randomUUID()}:`) => {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const cache = redisCache({ redis, prefix });
  const events: ResolverEvent[] = [];
  const onEvent = (event: ResolverEvent): number => events.push(event);
  const providers = vendors as readonly Provider[];
  const resolver = createResolver<Vendor>({ store, keyring, cache, providers: vendors, platformKeys, onEvent });
  closing.push(() => resolver.close());
  await resolver.ready();
  const manager = createKeyManager({ store, keyring, cache, providers, verify: "off" });
  const use = async (): Promise<boolean> => {
    const { published } = await manager.set("org", { provider: "ada", apiKey: `own-${randomUUID()}` });
    await resolver.resolve("org", agent);
    await resolver.resolve(randomUUID(), agent);
    return published;
  };
  await waitFor(() => expect(redis.status === "ready" || events.length > 0).toBe(true));
  const failures = (): string[] =>
    events.flatMap((event) => (event.type === "cache_failed" ? [`${event.operation} ${event.reason}`] : []));
  return { resolver, manager, cache, store, events, use, failures, prefix };
};

/** Redis behind TLS, under a certificate that nobody knows. */
const behindTls = async (port: number): Promise<string> => {
  const { private: key, cert } = await selfsigned.generate([{ name: "commonName", value: "localhost" }]);
  const front = createServer({ key, cert }, (incoming) => {
    const outgoing = dial(port, "127.0.0.1");
    incoming.pipe(outgoing).pipe(incoming);
    for (const socket of [incoming, outgoing]) socket.on("error", () => socket.destroy());
  });
  front.on("tlsClientError", () => {});
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  closing.push(() => front.close());
  return `rediss://localhost:${(front.address() as AddressInfo).port}`;
};

describe("Redis says why it does not help, in an event and in health(), when", () => {
  it.each<[string, () => Promise<string> | string, readonly string[], RegExp]>([
    ["its certificate is not trusted", () => behindTls(server.port), ["connect untrusted_certificate"], /tls\.ca/u],
    [
      "the password is wrong",
      () => server.url.replace("//", "//deaf:wrong@"),
      ["connect unauthenticated"],
      /password/u,
    ],
    ["nothing listens", async () => `redis://127.0.0.1:${await freePort()}`, ["connect unreachable"], /address/u],
    ["the URL is quoted", () => `"${server.url}"`, ["connect unreachable"], /address/u],
    [
      "the user may not use the channel",
      () => server.url.replace("//", "//deaf:right@"),
      ["publish forbidden", "subscribe forbidden"],
      /\+subscribe.*\+publish|\+publish.*\+subscribe/su,
    ],
    ["the user may not publish", () => server.url.replace("//", "//mute:right@"), ["publish forbidden"], /\+publish/u],
    ["it is a replica", () => replica.url, ["write read_only"], /primary/u],
  ])("%s", async (_when, url, expected, advice) => {
    const { resolver, use, failures, events } = await platform(client(await url()));
    await waitFor(async () => {
      expect(await use()).toBe(false);
      expect(failures()).toEqual(expect.arrayContaining([...expected]));
      expect(resolver.health().warnings.join(" ")).toMatch(advice);
    });
    expect(JSON.stringify([events, resolver.health()])).not.toMatch(/wrong|right/u);
  });

  it("the user may not read, although its notices are taken", async () => {
    const redis = client(server.url.replace("//", "//blind:right@"));
    const { use, failures, resolver } = await platform(redis);
    await waitFor(async () => expect(await use()).toBe(true));
    expect(failures()).toContain("read forbidden");
    expect(resolver.health().warnings.join(" ")).toContain("+getrange");
  });

  it("it asks for a password and is given none", async () => {
    const closed = await ownRedisServer();
    closing.push(() => closed.stop());
    redisCli(closed.port, "CONFIG", "SET", "requirepass", "planted-password");
    const { use, failures, resolver } = await platform(client(closed.url));
    await waitFor(async () => {
      expect(await use()).toBe(false);
      expect(failures()).toContain("connect unauthenticated");
    });
    expect(resolver.health().warnings.join(" ")).not.toContain("planted-password");
  });

  it("it is full, and no longer once it is not; it takes notices all the while", async () => {
    const full = await ownRedisServer(["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    closing.push(() => full.stop());
    const { use, failures, resolver } = await platform(client(full.url));
    await waitFor(async () => {
      expect(await use()).toBe(true);
      expect(failures()).toContain("write full");
    });
    redisCli(full.port, "CONFIG", "SET", "maxmemory", "0");
    await waitFor(async () => {
      await use();
      expect(resolver.health().warnings).toEqual([]);
    });
  });

  it("the first command fails, once for each way in which it fails", async () => {
    const { cache } = await platform(client(replica.url));
    const seen: string[] = [];
    const watch = cache.watch?.(({ operation, reason }) => seen.push(`${operation} ${reason}`));
    closing.push(() => watch?.close());
    await waitFor(async () => expect(await cache.get("org")).toBeUndefined());
    seen.length = 0;
    for (let times = 0; times < 3; times += 1) {
      await cache.set("org", Buffer.from("entry")).catch(() => {});
      expect(seen).toEqual(["write read_only"]);
    }
  });
});

it("what fails now and then is not said each time", async () => {
  const full = await ownRedisServer(["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
  closing.push(() => full.stop());
  const redis = client(full.url);
  await waitFor(() => expect(redis.status).toBe("ready"));
  const cache = redisCache({ redis });
  const seen: string[] = [];
  const watch = cache.watch?.(({ operation, reason }) => seen.push(`${operation} ${reason}`));
  closing.push(() => watch?.close());
  for (let times = 0; times < 3; times += 1) {
    redisCli(full.port, "CONFIG", "SET", "maxmemory", "1");
    await cache.set("org", Buffer.from("entry")).catch(() => {});
    expect(cache.warnings().join(" ")).toContain("takes no more writes");
    redisCli(full.port, "CONFIG", "SET", "maxmemory", "0");
    await cache.set("org", Buffer.from("entry"));
    expect(cache.warnings()).toEqual([]);
  }
  expect(seen).toEqual(["write full"]);
});

describe("a subscription", () => {
  /** A user of the channel whose rights change. */
  const userWith = (name: string, ...rights: readonly string[]): string =>
    redisCli(server.port, "ACL", "SETUSER", name, "on", ">right", "~*", "+@all", "resetchannels", ...rights);

  it("that is refused is asked for again", async () => {
    userWith("late");
    const prefix = `${randomUUID()}:`;
    const cache = redisCache({ redis: client(server.url.replace("//", "//late:right@")), prefix });
    const subscription = cache.subscribe(() => {});
    closing.push(() => subscription.close());
    await waitFor(() => expect(cache.warnings().join(" ")).toContain("+subscribe"));
    userWith("late", "&*");
    await waitFor(() => expect(redisCli(server.port, "PUBSUB", "NUMSUB", `${prefix}changes`)).toMatch(/\n1$/u));
    await waitFor(() => expect(cache.warnings()).toEqual([]));
  });

  it("whose right is taken away says so, and ends no process", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown): number => unheard.push(reason);
    process.on("unhandledRejection", note);
    closing.push(() => process.off("unhandledRejection", note));
    userWith("mood", "&*");
    const prefix = `${randomUUID()}:`;
    const cache = redisCache({ redis: client(server.url.replace("//", "//mood:right@")), prefix });
    const subscription = cache.subscribe(() => {});
    closing.push(() => subscription.close());
    await waitFor(() => expect(redisCli(server.port, "PUBSUB", "NUMSUB", `${prefix}changes`)).toMatch(/\n1$/u));
    userWith("mood");
    await waitFor(() => expect(cache.warnings().join(" ")).toContain("+subscribe"));
    expect(unheard).toEqual([]);
  });

  it("that is flooded reads a bounded share of it, lets the rest wait in Redis, and hears what comes after", async () => {
    const prefix = `${randomUUID()}:`;
    const notices: ChangeNotice[] = [];
    const redis = client(server.url);
    const duplicate = vi.spyOn(redis, "duplicate");
    const subscription = redisCache({ redis, prefix }).subscribe((notice) => notices.push(notice));
    closing.push(() => subscription.close());
    const subscriber = duplicate.mock.results[0]?.value as Redis;
    const forger = new Redis(server.url);
    closing.push(() => forger.disconnect());
    await waitFor(async () => expect(await forger.publish(`${prefix}changes`, "x")).toBe(1));
    const startedAt = performance.now();
    let hasPaused = false;
    for (let round = 0; round < 4; round += 1) {
      const pipeline = forger.pipeline();
      for (let at = 0; at < 10_000; at += 1) pipeline.publish(`${prefix}changes`, '{"org":"forged","seq":9}');
      await pipeline.exec();
      hasPaused ||= subscriber.stream.isPaused();
    }
    expect(hasPaused).toBe(true);
    await waitFor(async () => {
      await forger.publish(`${prefix}changes`, JSON.stringify({ org: "true", seq: 10 }));
      expect(notices.at(-1)).toEqual({ orgId: "true", seq: 10 });
    });
    const windows = Math.ceil((performance.now() - startedAt) / 250) + 1;
    expect(notices.length).toBeLessThanOrEqual(1_250 * windows);
  });
});

describe("two deployments in one Redis", () => {
  it.each<[string, () => readonly [Redis, string, Redis, string]]>([
    ["prefix", () => [client(server.url), "one:", client(server.url), "two:"]],
    [
      "keyPrefix of their clients",
      () => [client(server.url, { keyPrefix: "a:" }), "byok:", client(server.url, { keyPrefix: "b:" }), "byok:"],
    ],
  ])("see nothing of each other under another %s", async (_what, build) => {
    const [first, firstPrefix, second, secondPrefix] = build();
    const [one, two] = [
      redisCache({ redis: first, prefix: firstPrefix }),
      redisCache({ redis: second, prefix: secondPrefix }),
    ];
    const heard: { readonly [name: string]: ChangeNotice[] } = { one: [], two: [] };
    for (const [name, cache] of Object.entries({ one, two })) {
      const subscription = cache.subscribe((notice) => heard[name]?.push(notice));
      closing.push(() => subscription.close());
      await waitFor(async () => {
        await cache.invalidate({ orgId: name, seq: 1 });
        expect(heard[name]?.length).toBeGreaterThan(0);
      });
      await cache.set("org", Buffer.from(name));
    }
    await one.invalidate({ orgId: "one", seq: 2 });
    await waitFor(() => expect(heard["one"]?.at(-1)?.seq).toBe(2));
    expect(Buffer.from((await two.get("org")) ?? []).toString()).toBe("two");
    for (const [name, notices] of Object.entries(heard))
      expect(notices.every(({ orgId }) => orgId === name)).toBe(true);
  });
});

it("no more is asked for than an entry may have", async () => {
  const redis = client(server.url);
  const { resolver, events, prefix } = await platform(redis);
  await waitFor(() => expect(redis.status).toBe("ready"));
  redisCli(server.port, "SETRANGE", `${prefix}keys:huge`, "20000000", "x");
  const before = redis.stream.bytesRead;
  expect((await resolver.resolve("huge", agent)).llm.credential.key.reveal()).toBe("platform-ada");
  expect(redis.stream.bytesRead - before).toBeLessThan(300_000);
  expect(events).toContainEqual({ type: "entry_refused", orgId: "huge", reason: "too_large" });
});

it("every client has a listener for its errors while it is used, and as many as before afterwards", async () => {
  const redis = client(server.url);
  const duplicate = vi.spyOn(redis, "duplicate");
  const cache = redisCache({ redis });
  const count = (): number[] => ["error", "ready", "close", "end"].map((event) => redis.listenerCount(event));
  const before = count();
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const resolver = createResolver<Vendor>({ store, keyring, cache, providers: vendors, platformKeys });
  await resolver.ready();
  await resolver.resolve("org", agent);
  const subscriber = duplicate.mock.results[0]?.value as Redis;
  expect(redis.listenerCount("error")).toBe((before[0] as number) + 1);
  expect(subscriber.listenerCount("error")).toBe(1);
  for (const one of [redis, subscriber]) one.emit("error", new Error("x"));
  await resolver.close();
  expect(count()).toEqual(before);
  await waitFor(() => expect(subscriber.listenerCount("error")).toBe(0));
});

it("managers that are built by the hundred add one listener", async () => {
  const redis = client(server.url);
  const cache = redisCache({ redis });
  const before = redis.listenerCount("error");
  const [store, keyring] = [memoryStore(), createKeyring(generateKeyring())];
  for (let built = 0; built < 100; built += 1) createKeyManager({ store, keyring, cache });
  expect(redis.listenerCount("error")).toBe(before + 1);
});

it("managers that are built by the hundred leave one watcher with a cache", () => {
  const [store, keyring] = [memoryStore(), createKeyring(generateKeyring())];
  const watchers = new Set<unknown>();
  const watch: KeyCache["watch"] = (...given) => {
    for (const watcher of given) if (watcher !== undefined) watchers.add(watcher);
    return { close() {} };
  };
  for (let built = 0; built < 100; built += 1) createKeyManager({ store, keyring, cache: idleCache({ watch }) });
  expect(watchers.size).toBe(1);
});

it("the rights that docs/redis.md names are enough", async () => {
  const guide = readFileSync(resolve(import.meta.dirname, "../../docs/redis.md"), "utf8");
  const [, rights] = /ACL SETUSER byok (?<rights>[^`]+)/u.exec(guide) ?? [];
  expect(redisCli(server.port, "ACL", "SETUSER", "byok", ...(rights ?? "").trim().split(/\s+/u))).toBe("OK");
  const { resolver, use, failures } = await platform(client(server.url.replace("//", "//byok:password@")), "byok:");
  await waitFor(async () => {
    expect(await use()).toBe(true);
    expect(redisCli(server.port, "PUBSUB", "NUMSUB", "byok:changes")).toMatch(/\n1$/u);
  });
  expect([failures(), resolver.health().warnings]).toEqual([[], []]);
});
