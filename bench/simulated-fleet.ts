/**
 * A thousand workers on one Postgres and one Redis: `npm run bench:fleet`.
 *
 * Real: the servers, the statements, the changes and their notices (by a manager in a process of its own), and of each
 * worker the code that follows the log and the notices, at its own pace and with its defaults.
 * Simulated: the workers share one process, its pools of connections and one subscription. Each is told at once of the
 * changes that it holds, and of the numbers of all others twice a second. What they hold are watches, as of calls under
 * way; nothing is resolved. What Redis has to do for a thousand subscriptions is measured by itself, with a thousand
 * connections. A thousand workers that read two thousand changes a second read two million rows a second, which is too
 * much for this one process: where it is short of processor time, polls wait for it and not for Postgres. Compare the
 * two columns.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import pg from "pg";
import { createKeyring, generateKeyring, type KeyStore } from "../src/index.ts";
import { redisCache } from "../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../src/store/postgres/postgres-store.ts";
import { ownPostgresServer } from "../test/servers/postgres-server.ts";
import { failFastRedis, ownRedisServer } from "../test/servers/redis-server.ts";
import { rounded } from "./compare.ts";
import { recordFigures } from "./record.ts";
import { type CpuTimes, cpuBetween, findServerPids, readCpuTimes } from "./simulated-fleet/process-cpu.ts";
import { redisFanOut } from "./simulated-fleet/redis-fan-out.ts";
import { NoticeHub, pollMs, simulateWorker } from "./simulated-fleet/simulated-worker.ts";

export interface SimulatedFleetRow {
  readonly workers: number;
  /** Changes a second. */
  readonly offered: number;
  readonly achieved: number;
  /** Of all workers. */
  readonly pollsPerSecond: number;
  /** Of the change log, that they read: each worker reads every change. */
  readonly rowsPerSecond: number;
  /** As a worker waits for it, a free connection included. */
  readonly pollP50Ms: number;
  readonly pollP99Ms: number;
  readonly failedPolls: number;
  /** That the workers would make if none had to wait: every `pollMs`, and for each change of what one holds. */
  readonly askedPollsPerSecond: number;
  /** Processors that Postgres keeps busy, with the changes, and that the workers do. */
  readonly postgresCpus: number;
  readonly workerCpus: number;
  /** That Redis has to deliver for changes of that rate, one by one, to workers with a subscription each. */
  readonly noticesPerSecond: number;
}

export interface SimulatedFleetOptions {
  readonly workers?: number;
  readonly changesPerSecond?: readonly number[];
  readonly runMs?: number;
}

const organisations = 2_000;
/** One in a hundred. */
const heldByOne = organisations / 100;
/** Of one worker, for notices. */
const maxPollsPerSecond = 50;
const pools = 8;
const connectionsOfPool = 6;

/** One row for each rate of changes. */
export async function simulatedFleet({
  workers: count = 1_000,
  changesPerSecond = [0, 20, 200, 2_000],
  runMs = 10_000,
}: SimulatedFleetOptions = {}): Promise<SimulatedFleetRow[]> {
  const [postgres, redisServer] = [await ownPostgresServer(), await ownRedisServer()];
  const redis = failFastRedis(redisServer.url);
  const keyring = createKeyring(generateKeyring());
  const notices = new NoticeHub(redisCache({ redis, timeoutMs: 1_000 }));
  const polls = new PollTimes();
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1 });
  const pgPools = Array.from(
    { length: pools },
    () => new pg.Pool({ connectionString: postgres.url, max: connectionsOfPool, idleTimeoutMillis: 0 }),
  );
  // What is too much shows as a wait, and not as connections that are given up.
  const stores = pgPools.map((pool) => polls.watch(postgresStore({ pool, timeoutMs: 60_000 })));
  await stores[0]?.migrate();
  const workers = Array.from({ length: count }, (_, at) => {
    const held = Array.from({ length: heldByOne }, (_none, turn) => `org-${(at * 37 + turn * 101) % organisations}`);
    return simulateWorker({ store: stores[at % pools] as KeyStore, keyring, notices, held });
  });
  const readServerCpu = (): CpuTimes => readCpuTimes(findServerPids(postgres.dataFolder));
  const rows: SimulatedFleetRow[] = [];
  try {
    // Over one interval of polls, as workers do not start at one instant.
    for (const { begin } of workers) {
      await begin();
      await pause(2);
    }
    for (const offered of changesPerSecond) {
      const before = await readHead(admin);
      const changing = offerChanges(postgres.url, redisServer.url, offered, runMs + 2_000);
      while (offered > 0 && (await readHead(admin)) === before) await pause(20);
      await pause(1_000);
      polls.begin();
      const head = await readHead(admin);
      const [cpu, own, beganAtMs] = [readServerCpu(), process.cpuUsage(), performance.now()];
      await pause(runMs);
      const tookS = (performance.now() - beganAtMs) / 1_000;
      const { user, system } = process.cpuUsage(own);
      const achieved = ((await readHead(admin)) - head) / tookS;
      rows.push({
        workers: count,
        offered,
        achieved,
        ...polls.read(tookS),
        askedPollsPerSecond: count * (1_000 / pollMs + Math.min(offered / 100, maxPollsPerSecond)),
        postgresCpus: cpuBetween(cpu, readServerCpu()) / tookS,
        workerCpus: (user + system) / 1_000_000 / tookS,
        noticesPerSecond: achieved * count,
      });
      await changing;
    }
  } finally {
    for (const { close } of workers) close();
    notices.close();
    redis.disconnect();
    for (const pool of [...pgPools, admin]) await pool.end();
    await Promise.all([postgres.stop(), redisServer.stop()]);
  }
  return rows;
}

async function readHead(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ seq: string }>("SELECT seq FROM byok_clock");
  return Number(rows[0]?.seq);
}

async function offerChanges(databaseUrl: string, redisUrl: string, perSecond: number, forMs: number): Promise<void> {
  if (perSecond === 0) return;
  const program = join(import.meta.dirname, "simulated-fleet/offer-changes.ts");
  const given = [databaseUrl, redisUrl, perSecond, forMs, organisations].map(String);
  const { stderr } = await promisify(execFile)(process.execPath, [program, ...given], { encoding: "utf8" });
  process.stderr.write(stderr);
}

/** How long polls take. */
class PollTimes {
  #tookMs: number[] = [];
  #failed = 0;
  #rows = 0;

  watch(store: KeyStore): KeyStore {
    return {
      ...store,
      poll: async (cursor) => {
        const beganAtMs = performance.now();
        try {
          const page = await store.poll(cursor);
          this.#rows += page.changes.length;
          return page;
        } catch (error) {
          this.#failed += 1;
          throw error;
        } finally {
          this.#tookMs.push(performance.now() - beganAtMs);
        }
      },
    };
  }

  begin(): void {
    this.#tookMs = [];
    this.#failed = 0;
    this.#rows = 0;
  }

  read(
    seconds: number,
  ): Pick<SimulatedFleetRow, "pollsPerSecond" | "rowsPerSecond" | "pollP50Ms" | "pollP99Ms" | "failedPolls"> {
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
    const pollsPerSecond = sorted.length / seconds;
    const rowsPerSecond = this.#rows / seconds;
    return { pollsPerSecond, rowsPerSecond, pollP50Ms: at(0.5), pollP99Ms: at(0.99), failedPolls: this.#failed };
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      workers: { type: "string", default: "1000" },
      changes: { type: "string", default: "0,20,200,2000" },
      record: { type: "boolean" },
    },
  });
  const workers = Number(values.workers);
  const rows = await simulatedFleet({ workers, changesPerSecond: values.changes.split(",").map(Number) });
  await recordFigures(
    "simulated-fleet",
    rows.map((row) => ({
      "changes offered a second": row.offered,
      "changes made a second": rounded(row.achieved),
      "polls a second": rounded(row.pollsPerSecond),
      "polls asked for a second": rounded(row.askedPollsPerSecond),
      "rows read a second": rounded(row.rowsPerSecond),
      "poll p50 ms": rounded(row.pollP50Ms),
      "poll p99 ms": rounded(row.pollP99Ms),
      "processors of Postgres": rounded(row.postgresCpus),
      "processors of all workers": rounded(row.workerCpus),
    })),
  );
  const { subscribers, noticesPerSecond, messagesPerSecond, redisCpuUs } = await redisFanOut(workers);
  await recordFigures("redis-fan-out", [
    {
      subscribers,
      "notices a second": rounded(noticesPerSecond),
      "messages a second": rounded(messagesPerSecond),
      "Redis for each message µs": rounded(redisCpuUs),
    },
  ]);
}
