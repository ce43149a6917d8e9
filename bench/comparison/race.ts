/** The races that every cache of secrets has to win, on a real Redis: a removal while something else is under way. */
import { setTimeout as pause } from "node:timers/promises";
import { forwarder } from "../../test/servers/forwarder.ts";
import { ownRedisServer, redisCli } from "../../test/servers/redis-server.ts";
import { until } from "../until.ts";
import type { Contestant, RaceWorker } from "./contestant.ts";
import { byokit } from "./race-byokit.ts";

/** What is handed out after the removal, per race. */
export type Raced = {
  readonly library: string;
  /** A fill begins, the key is removed in the same process, the fill ends: the next call there. */
  readonly "one process": string;
  /** As before, but another process removes: the next call where the fill was, and where the key was removed. */
  readonly "two processes, A fills": string;
  readonly "B removes": string;
  /** The first call of a process that starts after that. */
  readonly "a new one": string;
  /** Redis cannot be reached while the key is removed, and is back later. What the removal says of itself. */
  readonly "Redis away: removal says": string;
  readonly "a new one after it": string;
};

/** For hints that may be on their way, which nothing tells of: as long for everybody. */
const settleMs = 300;
/** How long a key that was removed is asked for again. */
const patienceMs = 4_000;

export async function race(libraries: readonly Contestant[]): Promise<Raced[]> {
  const raced: Raced[] = [];
  for (const contestant of [...libraries, byokit]) {
    raced.push({
      library: contestant.name,
      "one process": await inOneProcess(contestant),
      ...(await acrossProcesses(contestant)),
      ...(await whileRedisIsAway(contestant)),
    });
  }
  return raced;
}

async function inOneProcess({ begin }: Contestant): Promise<string> {
  const { database, worker } = await begin();
  const here = await worker();
  await removedDuringFill(database, here, here);
  const next = await asked(here);
  await here.close();
  return next;
}

async function acrossProcesses({
  begin,
  isTold,
}: Contestant): Promise<Pick<Raced, "two processes, A fills" | "B removes" | "a new one">> {
  const redis = await ownRedisServer();
  const { database, worker } = await begin();
  const [a, b] = [await worker(redis.url), await worker(redis.url)];
  await connected(redis.port, [a, b], isTold);
  await removedDuringFill(database, a, b);
  const [first, second] = [await asked(a), await asked(b)];
  const c = await worker(redis.url);
  await connected(redis.port, [a, b, c], isTold);
  const third = await asked(c);
  for (const { close } of [a, b, c]) await close();
  await redis.stop();
  return { "two processes, A fills": first, "B removes": second, "a new one": third };
}

async function whileRedisIsAway({
  begin,
  isTold,
}: Contestant): Promise<Pick<Raced, "Redis away: removal says" | "a new one after it">> {
  const redis = await ownRedisServer();
  const link = await forwarder(redis.port);
  const { worker } = await begin();
  const a = await worker(`redis://127.0.0.1:${link.port}`);
  await connected(redis.port, [a], isTold);
  await a.ask();
  await until("something is kept in Redis", () => redisCli(redis.port, "DBSIZE") !== "0");
  link.to(null);
  await pause(settleMs);
  const said = await Promise.race([
    a.remove().then(String, (error: unknown) => `fails: ${error instanceof Error ? error.message : String(error)}`),
    pause(patienceMs, "nothing: it waits"),
  ]);
  link.to(redis.port);
  const b = await worker(redis.url);
  await connected(redis.port, [b], isTold);
  const next = await asked(b);
  for (const { close } of [a, b]) await close();
  await link.close();
  await redis.stop();
  return { "Redis away: removal says": said, "a new one after it": next };
}

/** Ends when these workers' commands reach Redis, and when Redis would tell each of them of a removal. */
async function connected(port: number, workers: readonly RaceWorker[], isTold: boolean): Promise<void> {
  for (const worker of workers) await until("a worker reaches Redis", () => worker.isConnected());
  if (!isTold) return;
  await until("workers are subscribed", () => {
    const channels = redisCli(port, "PUBSUB", "CHANNELS").split("\n").filter(Boolean);
    const counts = channels.map((channel) => Number(redisCli(port, "PUBSUB", "NUMSUB", channel).split("\n").at(-1)));
    return counts.some((count) => count >= workers.length);
  });
}

async function removedDuringFill(
  database: { held: Promise<void> },
  filling: RaceWorker,
  removing: RaceWorker,
): Promise<void> {
  const fill = Promise.withResolvers<void>();
  database.held = fill.promise;
  const filled = filling.ask();
  await pause(settleMs);
  database.held = Promise.resolve();
  await removing.remove();
  await pause(settleMs);
  fill.resolve();
  await filled.catch(() => {});
}

/** What the next call is handed out and, when it is the key, for how long those after it are. */
async function asked(worker: RaceWorker): Promise<string> {
  const beganAt = performance.now();
  for (let calls = 0; ; calls += 1) {
    const answer = await worker.ask();
    const tookMs = performance.now() - beganAt;
    if (answer === "nothing") return calls === 0 ? "nothing" : `the key, for ${(tookMs / 1_000).toFixed(1)} s`;
    if (tookMs > patienceMs) return "the key";
    await pause(20);
  }
}
