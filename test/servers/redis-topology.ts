import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Cluster, Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { failFastRedis, ownRedisServer, type RedisServer, redisCli } from "./redis-server.ts";

/** Where a client connects: one server, a master that a sentinel names, or a cluster. */
export type RedisAddress =
  | { readonly kind: "single"; readonly url: string }
  | { readonly kind: "sentinel" | "cluster"; readonly ports: readonly number[] };

export interface RedisTopology {
  readonly address: RedisAddress;
  /** The servers, the first one the master or a node. */
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

const failFast = {
  enableOfflineQueue: false,
  commandTimeout: 200,
  socketTimeout: 2_000,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
} as const;

export function connectRedis(address: RedisAddress): Redis | Cluster {
  if (address.kind === "single") return failFastRedis(address.url);
  const nodes = address.ports.map((port) => ({ host: "127.0.0.1", port }));
  const { enableOfflineQueue, ...redisOptions } = failFast;
  const client =
    address.kind === "sentinel"
      ? new Redis({
          sentinels: nodes,
          name: "byokit",
          ...failFast,
          sentinelRetryStrategy: () => 100,
          retryStrategy: () => 100,
        })
      : new Cluster(nodes, {
          enableOfflineQueue,
          redisOptions,
          clusterRetryStrategy: () => 100,
          slotsRefreshInterval: 500,
        });
  client.on("error", () => {});
  return client;
}

export async function singleRedis(): Promise<RedisTopology> {
  const server = await ownRedisServer();
  return { address: { kind: "single", url: server.url }, servers: [server], stop: () => server.stop() };
}

/** A master, a replica that takes over when it is gone, and the sentinel that sees to it. */
export async function sentinelRedis(): Promise<RedisTopology> {
  const master = await ownRedisServer();
  const replica = await ownRedisServer(["--replicaof", "127.0.0.1", String(master.port)]);
  const folder = mkdtempSync(join(tmpdir(), "byokit-sentinel-"));
  const port = await freePort();
  const config = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor byokit 127.0.0.1 ${master.port} 1`,
    "sentinel down-after-milliseconds byokit 500",
    "sentinel failover-timeout byokit 2000",
  ];
  writeFileSync(join(folder, "sentinel.conf"), `${config.join("\n")}\n`);
  const sentinel: ChildProcess = spawn("redis-server", [join(folder, "sentinel.conf"), "--sentinel"], {
    stdio: "ignore",
  });
  await until(() => redisCli(port, "SENTINEL", "replicas", "byokit").includes(String(replica.port)));
  return {
    address: { kind: "sentinel", ports: [port] },
    servers: [master, replica],
    async stop() {
      const exited = once(sentinel, "exit");
      if (sentinel.kill("SIGKILL")) await exited;
      for (const server of [master, replica]) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Three nodes without replicas: what one of them holds is away while it is. */
export async function clusterRedis(): Promise<RedisTopology> {
  const options = [
    "--cluster-enabled",
    "yes",
    "--cluster-require-full-coverage",
    "no",
    "--cluster-node-timeout",
    "500",
  ];
  const servers = await Promise.all([0, 1, 2].map(() => ownRedisServer(options)));
  const [first] = servers as [RedisServer];
  redisCli(first.port, "--cluster", "create", ...servers.map(({ port }) => `127.0.0.1:${port}`), "--cluster-yes");
  await until(() => redisCli(first.port, "CLUSTER", "INFO").includes("cluster_state:ok"));
  return {
    address: { kind: "cluster", ports: servers.map(({ port }) => port) },
    servers,
    async stop() {
      for (const server of servers) await server.stop();
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  const endsAt = Date.now() + 20_000;
  for (;;) {
    try {
      if (isSo()) return;
    } catch {
      // The server does not listen yet.
    }
    if (Date.now() > endsAt) throw new Error("The Redis servers did not come up.");
    await pause(50);
  }
}
