import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { endWithParent } from "./end-with-parent.ts";
import { freePort } from "./free-port.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Where it writes its snapshot and its log. */
  readonly folder: string;
  readonly process: ChildProcess;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with nothing in it unless it wrote to its folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Finds or installs the server's program, once for a run of the tests. */
export function installRedis(): void {
  if (spawnSync("redis-server", ["--version"]).status === 0) return;
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", "redis-server"]);
  if (spawnSync("redis-server", ["--version"]).status === 0) return;
  throw new Error("The tests need redis-server. Install it (Debian, Ubuntu: apt-get install redis-server).");
}

/** A server of its own on a free loopback port. */
export async function ownRedisServer(arguments_: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "byokit-redis-"));
  const port = await freePort();
  const run = (): ChildProcess => {
    const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...arguments_];
    // What the terminal sends is for the tests, which end the server.
    const started = spawn("redis-server", flags, { stdio: "ignore", detached: true });
    endWithParent(started, folder);
    return started;
  };
  let child = run();
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  await answering(port);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    get process() {
      return child;
    },
    kill: end,
    async start() {
      child = run();
      await answering(port);
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As docs/scaling.md tells users to build theirs. */
export function failFastRedis(url: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: 200,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    socketTimeout: 2_000,
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    connectTimeout: 1_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** (attempt - 1), 500),
  });
  redis.on("error", () => {});
  redis.connect().catch(() => {});
  return redis;
}

export function redisCli(port: number, ...command: readonly string[]): string {
  return execFileSync("redis-cli", ["-p", String(port), ...command], { encoding: "utf8", stdio: "pipe" }).trim();
}

async function answering(port: number): Promise<void> {
  const probe = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  probe.on("error", () => {});
  try {
    await probe.ping();
  } finally {
    probe.disconnect();
  }
}
