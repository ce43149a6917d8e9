import fc from "fast-check";
import { drain } from "./virtual-time.ts";
import type { World } from "./world.ts";

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
  call: (world: World, n: number) => world.call(n),
  request: (world: World, n: number) => world.request(n),
  advance: (world: World, n: number) => world.advance(advances[n % advances.length] ?? 1),
  change: (world: World, n: number) => world.change(n),
  message: (world: World, n: number) => world.redis.message(n),
  databaseDown(world: World) {
    world.network.down.database = !world.network.down.database;
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
  swap: (world: World, n: number) => world.redis.swap(n),
  flush: (world: World) => world.redis.flush(),
  prune: (world: World, n: number) => world.database.prune(n),
  promote: (world: World, n: number) => world.database.goBack(n, true),
  restore: (world: World, n: number) => world.database.goBack(n, false),
} as const;

type What = keyof typeof happen;
type Weights = Partial<Record<What, number>>;

const ordinary: Weights = { network: 40, call: 16, request: 8, advance: 8, change: 7, message: 6 };

/** What goes wrong in a run: a little of everything, or much of one kind. */
const profiles: readonly Weights[] = [
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

export interface Schedule {
  readonly profile: Weights;
  readonly steps: readonly (readonly [choice: number, n: number])[];
}

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  profile: fc.constantFrom(...profiles),
  steps: fc.array(fc.tuple(fc.nat(9_999), fc.nat(9_999)), { minLength: 60, maxLength: 300, size: "max" }),
});

/** Runs the schedule until it ends or something is handed out that must not be. */
export async function play(world: World, { profile, steps }: Schedule): Promise<void> {
  const weights = Object.entries({ ...ordinary, ...profile }) as [What, number][];
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, n] of steps) {
    let left = choice % total;
    const what = weights.find(([, weight]) => {
      left -= weight;
      return left < 0;
    })?.[0];
    await happen[what ?? "network"](world, n);
    await drain();
    if (world.violations.length > 0) return;
  }
}

/** The same numbers in every run, so that a schedule decides everything. */
export function pseudoRandom(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
