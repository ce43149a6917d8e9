import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { redisCli } from "../servers/redis-server.ts";
import type { Deployment } from "./deployment.ts";
import { leaseMs } from "./deployment.ts";

export interface Fault {
  readonly name: string;
  /** Whether calls may fail meanwhile, with `store_unavailable` or `deadline_exceeded` and nothing else. */
  readonly mayFail: boolean;
  readonly betweenChangesMs?: number;
  /** Happens in the middle of the load; ends when it is over. */
  happen(deployment: Deployment): Promise<void>;
}

export const faults: readonly Fault[] = [
  { name: "nothing", mayFail: false, happen: () => pause(1_500) },
  {
    name: "Redis: kill -9, then started empty",
    mayFail: false,
    async happen({ redis: [redis] }) {
      await redis?.kill();
      await pause(1_000);
      await redis?.start();
      await pause(1_000);
    },
  },
  {
    name: "Redis: SIGSTOP",
    mayFail: false,
    async happen({ redis: [redis] }) {
      redis?.process.kill("SIGSTOP");
      await pause(1_500);
      redis?.process.kill("SIGCONT");
      await pause(500);
    },
  },
  {
    name: "Redis: FLUSHALL",
    mayFail: false,
    async happen({ redis: [redis] }) {
      for (let at = 0; at < 5; at += 1) {
        redisCli(redis?.port ?? 0, "FLUSHALL");
        await pause(200);
      }
    },
  },
  {
    name: "Redis: CLIENT KILL, commands and subscribers",
    mayFail: false,
    async happen({ redis: [redis] }) {
      for (const type of ["normal", "pubsub", "normal", "pubsub"]) {
        redisCli(redis?.port ?? 0, "CLIENT", "KILL", "TYPE", type);
        await pause(300);
      }
    },
  },
  {
    name: "Postgres: SIGSTOP past the lease",
    mayFail: true,
    async happen({ postgres }) {
      postgres.primary.signal("SIGSTOP");
      await pause(leaseMs + 1_000);
      postgres.primary.signal("SIGCONT");
      await pause(1_500);
    },
  },
  {
    name: "Postgres: every connection ended, again and again",
    mayFail: true,
    async happen({ postgres }) {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      for (let at = 0; at < 5; at += 1) {
        await client.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL",
        );
        await pause(300);
      }
      await client.end();
      await pause(500);
    },
  },
  {
    name: "Postgres: shut down and started again",
    mayFail: true,
    async happen({ postgres: { primary } }) {
      await primary.shutDown();
      await pause(700);
      await primary.start();
      await pause(1_500);
    },
  },
  {
    name: "a worker: SIGSTOP past its lease",
    mayFail: true,
    async happen({ workers: [worker] }) {
      worker?.process.kill("SIGSTOP");
      await pause(leaseMs + 1_000);
      worker?.process.kill("SIGCONT");
      await pause(1_000);
    },
  },
];

/** How many changes a second the polls that notices lead to keep up with. */
export const steady: Fault = {
  name: "nothing, and eight changes a second",
  mayFail: false,
  betweenChangesMs: 120,
  happen: () => pause(6_000),
};

/** For a master with a replica and a sentinel. */
export const sentinelFaults: readonly Fault[] = [
  {
    name: "Redis: the master lost, its replica promoted by Sentinel",
    mayFail: false,
    async happen({ redis: [master] }) {
      await master?.kill();
      await pause(5_000);
      await master?.start();
      await pause(1_000);
    },
  },
];

/** For a cluster of three nodes. */
export const clusterFaults: readonly Fault[] = [
  {
    name: "Redis: a node of three of a Cluster lost",
    mayFail: false,
    async happen({ redis: [node] }) {
      await node?.kill();
      await pause(3_000);
      await node?.start();
      await pause(1_500);
    },
  },
];
