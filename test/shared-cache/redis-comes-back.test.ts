import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Cluster, Redis } from "ioredis";
import { afterEach, expect, it } from "vitest";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../../src/index.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { ResolverEvent } from "../../src/resolver/resolver-event.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { type Forwarder, forwarder } from "../servers/forwarder.ts";
import { ownRedisServer, type RedisServer, redisCli } from "../servers/redis-server.ts";
import { connectRedis, sentinelRedis } from "../servers/redis-topology.ts";
import { runDocumentedRedis } from "../support/documented-redis.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platformKeys, type Vendor, vendors } from "../support/worker.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const own = async (...options: string[]): Promise<RedisServer> => {
  const server = await ownRedisServer(options);
  closing.push(() => server.stop());
  return server;
};

/** Worker and manager on the documented client, behind something that stands between it and the servers. */
const deployment = async (server: RedisServer, times: { leaseMs: number; pollMs: number }) => {
  const between: Forwarder = await forwarder(server.port);
  closing.push(() => between.close());
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const { redis, cache, worker } = runDocumentedRedis(`redis://127.0.0.1:${between.port}`, store, keyring);
  closing.push(() => redis.disconnect());
  await worker.close();
  const events: ResolverEvent[] = [];
  const providers = vendors as readonly Provider[];
  const manager = createKeyManager({ store, keyring, cache, providers, verify: "off" });
  const onEvent = (event: ResolverEvent): number => events.push(event);
  const options = { store, keyring, cache, providers: vendors, platformKeys, onEvent, ...times };
  const resolver = createResolver<Vendor>(options);
  closing.push(() => resolver.close());
  await resolver.ready();
  const keyOf = async (orgId: string): Promise<string> =>
    (await resolver.resolve(orgId, agent)).llm.credential.key.reveal();
  const listeners = ({ port }: RedisServer): number =>
    Number(redisCli(port, "PUBSUB", "NUMSUB", "byok:changes").split("\n")[1]);
  /** Everything works: a change is published, a subscriber is there, calls ask Redis, and nothing is to be said. */
  const isWell = async (...servers: readonly RedisServer[]): Promise<void> => {
    const apiKey = `own-ada-${randomUUID()}`;
    const { published } = await manager.set("org", { provider: "ada", apiKey });
    await keyOf(randomUUID());
    expect(await keyOf("org")).toMatch(/^own-ada/u);
    const { cache: state, warnings } = resolver.health();
    const subscribers = servers.reduce((sum, server) => sum + listeners(server), 0);
    expect({ published, subscribers, state, warnings }).toEqual({
      published: true,
      subscribers: 1,
      state: "up",
      warnings: [],
    });
  };
  return { between, manager, keyOf, isWell, listeners, events, redis, resolver };
};

/** A worker that is asked nothing, on a Redis of its own client. */
const idleResolver = async (redis: Redis | Cluster, onEvent: (event: ResolverEvent) => unknown = () => {}) => {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const options = { store, keyring, cache: redisCache({ redis }), providers: vendors, platformKeys, onEvent };
  const resolver = createResolver<Vendor>(options);
  closing.push(() => resolver.close());
  return resolver;
};

const quick = { leaseMs: 4_000, pollMs: 500 };
/** Only a notice tells such a worker of a change in time. */
const slow = { leaseMs: 240_000, pollMs: 120_000 };

it("the documented client comes back after Redis was killed and started again", async () => {
  const server = await own();
  const { isWell, keyOf } = await deployment(server, quick);
  await waitFor(() => isWell(server));
  await server.kill();
  for (let org = 0; org < 10; org += 1) expect(await keyOf(`org-${org}`)).toBe("platform-ada");
  await server.start();
  await waitFor(() => isWell(server));
});

it("a worker that is idle says that its Redis is gone, and that it is back", async () => {
  const server = await own();
  const { isWell, events, resolver } = await deployment(server, slow);
  await waitFor(() => isWell(server));
  events.length = 0;
  await server.kill();
  await waitFor(() => expect(resolver.health().cache).toBe("down"));
  await server.start();
  await waitFor(() => expect(resolver.health().cache).toBe("up"));
  expect(events.map(({ type }) => type).filter((type) => /^cache_(down|up)$/u.test(type))).toEqual([
    "cache_down",
    "cache_up",
  ]);
  await waitFor(() => isWell(server));
});

it("a worker that is idle says that its cluster is gone, and that it is back", async () => {
  const server = await own("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
  redisCli(server.port, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await waitFor(() => expect(redisCli(server.port, "CLUSTER", "INFO")).toContain("cluster_state:ok"));
  const redis = connectRedis({ kind: "cluster", ports: [server.port] });
  closing.push(() => redis.disconnect());
  await waitFor(() => expect(redis.status).toBe("ready"));
  const resolver = await idleResolver(redis);
  expect(resolver.health().cache).toBe("up");
  await server.kill();
  await waitFor(() => expect(resolver.health().cache).toBe("down"));
  await server.start();
  await waitFor(() => expect(resolver.health().cache).toBe("up"));
});

it("a worker that is idle says that its Redis and all sentinels are gone", async () => {
  const topology = await sentinelRedis();
  closing.push(() => topology.stop());
  const redis = connectRedis(topology.address);
  closing.push(() => redis.disconnect());
  const resolver = await idleResolver(redis);
  await waitFor(() => expect([redis.status, resolver.health().cache]).toEqual(["ready", "up"]));
  await topology.stop();
  await waitFor(() => expect(resolver.health().cache).toBe("down"));
});

it("a worker that is idle says that its Redis is gone, also where its client waits long before it tries again", async () => {
  const server = await own();
  const redis = new Redis(server.port, "127.0.0.1", { enableOfflineQueue: false, retryStrategy: () => 3_600_000 });
  closing.push(() => redis.disconnect());
  redis.on("error", () => {});
  const resolver = await idleResolver(redis);
  await waitFor(() => expect(redis.status).toBe("ready"));
  await server.kill();
  await waitFor(() => expect(resolver.health().cache).toBe("down"));
});

it("a connection that was never asked anything is no sign of life", async () => {
  let connections = 0;
  const dead = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await once(dead.listen(0, "127.0.0.1"), "listening");
  closing.push(() => void dead.close());
  const { port } = dead.address() as AddressInfo;
  const unchecked = { enableReadyCheck: false, protocol: 2, disableClientInfo: true, retryStrategy: () => 5 } as const;
  const redis = new Redis(port, "127.0.0.1", { ...unchecked, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  closing.push(() => redis.disconnect());
  redis.on("error", () => {});
  const events: ResolverEvent[] = [];
  const resolver = await idleResolver(redis, (event) => events.push(event));
  await waitFor(async () => {
    await resolver.resolve(randomUUID(), agent);
    expect(resolver.health().cache).toBe("down");
  });
  const before = connections;
  await waitFor(() => expect(connections).toBeGreaterThan(before + 10));
  expect(events.map(({ type }) => type)).not.toContain("cache_up");
});

it("a connection that a server closes for being idle is no outage", async () => {
  const server = await own();
  const { isWell, events, redis } = await deployment(server, slow);
  await waitFor(() => isWell(server));
  events.length = 0;
  let isBack = false;
  redis.once("ready", () => {
    isBack = true;
  });
  redisCli(server.port, "CLIENT", "KILL", "TYPE", "normal");
  await waitFor(() => expect(isBack).toBe(true));
  await waitFor(() => isWell(server));
  expect(events.map(({ type }) => type)).not.toContain("cache_down");
});

it("the documented client comes back after its connections have lost their other end without a word", async () => {
  const server = await own();
  const { isWell, between, events } = await deployment(server, quick);
  await waitFor(() => isWell(server));
  between.forget();
  await waitFor(() => isWell(server));
  expect(events.map(({ type }) => type)).toContain("cache_failed");
});

it("a subscription whose connection has lost its other end is made again, also while there is nothing to hear", async () => {
  const server = await own();
  const { isWell, between, manager, keyOf, listeners } = await deployment(server, slow);
  await waitFor(() => isWell(server));
  between.forget();
  await waitFor(() => expect(listeners(server)).toBe(0));
  await waitFor(() => expect(listeners(server)).toBe(1));
  await waitFor(() => isWell(server));
  await manager.set("org", { provider: "ada", apiKey: "own-ada-after" });
  await waitFor(async () => expect(await keyOf("org")).toBe("own-ada-after"));
});

it("the documented client leaves a primary that has become a replica, and its notices are heard", async () => {
  const server = await own();
  const next = await own("--replicaof", "127.0.0.1", String(server.port));
  const { isWell, between, manager, keyOf } = await deployment(server, slow);
  await waitFor(() => isWell(server));
  between.sendNewTo(next.port);
  redisCli(next.port, "REPLICAOF", "NO", "ONE");
  redisCli(server.port, "REPLICAOF", "127.0.0.1", String(next.port));
  const { published } = await manager.set("org", { provider: "ada", apiKey: "told-to-a-replica" });
  expect(published).toBe(false);
  await waitFor(() => isWell(server, next));
  await server.kill();
  await waitFor(() => isWell(next));
  await manager.set("org", { provider: "ada", apiKey: "own-ada-after" });
  await waitFor(async () => expect(await keyOf("org")).toBe("own-ada-after"));
});
