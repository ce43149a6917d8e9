import { SeededRandom } from "../search/seeded-random.ts";
import { commitElsewhere, loseHistoryAmid } from "./elsewhere.ts";
import type { Server } from "./network.ts";
import { drain } from "./virtual-time.ts";
import type { World } from "./world.ts";

const answering: readonly Server[] = ["log", "log", "database", "database", "redis"];
const advances = [1, 50, 300, 1_500, 2_600, 4_000, 8_300, 11_000] as const;

/** Everything that may happen, decided by a number. */
const happen = {
  /** Replies that arrive in one turn come in between what a process does with the first and its next wait. */
  async network(world: World, n: number) {
    for (let at = 0; at < 1 + (n % 6); at += 1) {
      world.network.step(Math.floor(n / (at + 1)));
      if (n % 4 !== 0) await drain();
    }
  },
  /** Everything arrives that is not slow, every other time with the notices. */
  async arrive(world: World, n: number) {
    if (n % 2 === 0) world.redis.deliverNotices();
    for (let at = 0; at < 40 && world.network.stepPastSlow(Math.floor(n / (at + 1))); at += 1) await drain();
  },
  call: (world: World, n: number) => world.call(n),
  rush: (world: World, n: number) => world.rush(n),
  request: (world: World, n: number) => world.request(n),
  advance: (world: World, n: number) => world.advance(advances[n % advances.length] ?? 1),
  /** As long as a fast network takes: the order of two moments shows. */
  tick: (world: World, n: number) => world.advance(1 + (n % 30)),
  change: (world: World, n: number) => world.change(n),
  commit: (world: World, n: number) => commitElsewhere(world, new SeededRandom(n)),
  message: (world: World, n: number) => world.redis.message(n),
  databaseDown(world: World) {
    world.network.down.database = !world.network.down.database;
  },
  logDown(world: World) {
    world.network.down.log = !world.network.down.log;
  },
  redisDown(world: World) {
    world.network.down.redis = !world.network.down.redis;
  },
  keyringDown(world: World) {
    world.network.down.keyring = !world.network.down.keyring;
  },
  keyringRemote(world: World) {
    world.isKeyringRemote = !world.isKeyringRemote;
  },
  stop: (world: World, n: number) => world.stop(n),
  restart: (world: World, n: number) => world.restart(n),
  revive: (world: World, n: number) => world.redis.revive(n),
  lag: (world: World, n: number) => world.redis.lag(n),
  swap: (world: World, n: number) => world.redis.swap(n),
  flush: (world: World) => world.redis.flush(),
  prune: (world: World, n: number) => world.database.prune(n),
  promote: (world: World, n: number) => world.database.goBack(n, true),
  restore: (world: World, n: number) => world.database.goBack(n, false),
  loseAmid: (world: World, n: number) => loseHistoryAmid(world, new SeededRandom(n)),
  importKeys: (world: World, n: number) => world.importKeys(n),
  cut: (world: World, n: number) => world.network.cut(n),
  cutManager: (world: World, n: number) => world.cutManager(n),
  restartManager: (world: World) => world.restartManager(),
  partition: (world: World, n: number) => world.partition(n),
  slow: (world: World, n: number) => world.network.hold(n),
  answerLate: (world: World, n: number) => world.network.answerLate(answering[n % answering.length] ?? "log", n),
  hangUp: (world: World, n: number) => world.hangUp(n),
  forge: (world: World, n: number) => world.forge(n),
  spoil: (world: World, n: number) => world.redis.spoil(n),
  jump: (world: World, n: number) => world.jump(n),
  suspend: (world: World, n: number) => world.suspend(n),
  setBack: (world: World, n: number) => world.setBack(n),
} as const;

export type What = keyof typeof happen;
export type Weights = Partial<Record<What, number>>;

/** Lets it happen. Returns `false` where there was nothing that it could happen to. */
export async function letHappen(world: World, what: What, n: number): Promise<boolean> {
  const hasHappened = await happen[what](world, n);
  await drain();
  return hasHappened !== false;
}

/** What happens without anything going wrong. */
export const ordinary: Weights = { network: 40, call: 16, request: 8, advance: 8, change: 7, message: 6 };

/** What goes wrong in a run: a little of everything, or much of one kind. */
export const profiles: readonly Weights[] = [
  {
    ...{ databaseDown: 1, redisDown: 1, stop: 2, restart: 1, revive: 2, swap: 1, flush: 1, prune: 1, promote: 1 },
    restore: 1,
  },
  { keyringRemote: 5, keyringDown: 5, network: 55 },
  { restore: 6, change: 12 },
  { restore: 3, promote: 3, prune: 2, restart: 2, revive: 4 },
  { revive: 8, swap: 3, restart: 6, change: 12, flush: 1, redisDown: 1 },
  { stop: 5, advance: 12, databaseDown: 2 },
  { databaseDown: 4, advance: 14, network: 30, change: 10, call: 20 },
  { call: 30, change: 14, advance: 2, message: 1, network: 60, revive: 6 },
  // Read ahead, evict, revive: memory forgets what it has read ahead of the log, and the shared cache has an older state.
  { call: 30, change: 9, advance: 1, message: 0, request: 0, network: 70, revive: 14 },
];
