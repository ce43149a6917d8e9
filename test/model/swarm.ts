import { SeededRandom } from "../search/seeded-random.ts";
import { ordinary, profiles, type Weights, type What } from "./happenings.ts";
import type { Delays } from "./network.ts";
import { ordinaryShape, type WorldShape } from "./world-shape.ts";

/** What one seed decides before anything happens: which faults there are, how often, and how large everything is. */
export interface Swarm {
  readonly seed: number;
  readonly shape: WorldShape;
  /** How often each thing happens; what is not named does not. */
  readonly weights: Weights;
  readonly steps: number;
  /** Whether everything is mended in the end, and must be served again. */
  readonly settles: boolean;
}

/**
 * Every kind of fault that a seed switches on or off. Either a wall clock jumps, or machines are suspended and clocks set back
 * far: nothing can be known of a machine that was suspended and had its clock set back by as much.
 */
export const faultKinds = [
  "databaseDown",
  "logDown",
  "redisDown",
  "keyringDown",
  "keyringRemote",
  "stop",
  "restart",
  "revive",
  "lag",
  "swap",
  "flush",
  "prune",
  "promote",
  "restore",
  "loseAmid",
  "cut",
  "cutManager",
  "restartManager",
  "partition",
  "slow",
  "answerLate",
  "hangUp",
  "forge",
  "spoil",
  "jump",
  "suspend",
  "setBack",
] as const satisfies readonly What[];

interface Profile {
  readonly weights: Weights;
  readonly shape?: Partial<WorldShape>;
}

/** Much of one kind, as in npm test; and what needs faults that meet seldom. */
const allProfiles: readonly Profile[] = [
  ...profiles.map((weights) => ({ weights })),
  // Histories are lost while reads are slow, or end without an answer.
  { weights: { restore: 4, promote: 2, change: 12, cut: 3, slow: 8, network: 60 } },
  // Workers begin beside them.
  { weights: { restart: 8, restore: 5, slow: 5, change: 10, call: 24 } },
  // Much is read ahead of the log, and the history is lost behind it.
  { weights: { call: 30, change: 10, advance: 1, message: 0, request: 2, network: 70, restore: 3, slow: 5 } },
  // Read ahead, evict, revive, while the log is hard to read.
  {
    weights: {
      call: 30,
      change: 9,
      advance: 2,
      message: 0,
      request: 6,
      network: 70,
      revive: 14,
      slow: 6,
      databaseDown: 1,
    },
  },
  // Histories are lost in the middle of reads, and workers begin in the middle of it.
  { weights: { loseAmid: 7, commit: 5, restart: 3, rush: 4, arrive: 10, tick: 4, answerLate: 3, advance: 4 } },
  // The same where memory has room, so that what is of a lost history would stay in it.
  {
    weights: { call: 12, request: 0, arrive: 10, tick: 6, advance: 4, change: 3, commit: 3, loseAmid: 10 },
    shape: { organisations: 6, maxOrgs: 5 },
  },
  // The same where there is no shared cache, and a worker begins with what it reads.
  {
    weights: { loseAmid: 8, commit: 3, restart: 8, rush: 6, arrive: 4, tick: 4, answerLate: 3, advance: 2 },
    shape: { hasCache: false, organisations: 3 },
  },
  // A worker has much in flight when it forgets everything, because it reads far ahead of a log that is slow.
  {
    weights: {
      ...{ rush: 8, call: 6, request: 1, arrive: 10, network: 20, tick: 6, advance: 1, message: 1 },
      ...{ commit: 5, change: 2, flush: 5, lag: 8, answerLate: 6 },
    },
    shape: { organisations: 4, delays: { log: 6 } },
  },
  // One organisation is read twice at a time, because the shared cache is slow, and its history is lost in between.
  {
    weights: { call: 30, request: 0, tick: 18, advance: 1, message: 8, loseAmid: 10, change: 6, answerLate: 2 },
    shape: { organisations: 1, workers: 1, delays: { redis: 5 } },
  },
];

/**
 * The same seed is the same configuration, on any machine. A machine that is suspended and has its clock set back knows that its
 * leases have ended, but not how long ago: nothing is served there past them.
 */
export function swarmOf(seed: number): Swarm {
  const random = new SeededRandom(seed);
  const isProfile = random.next() < 0.4;
  const profile = random.pick(allProfiles as [Profile, ...Profile[]]);
  const weights = isProfile ? { ...ordinary, ...profile.weights } : drawWeights(random);
  const isTimeless = weights.suspend !== undefined && weights.setBack !== undefined;
  const shape = {
    ...drawShape(random, isProfile),
    ...(isProfile && profile.shape),
    ...(isTimeless && { serveStaleMs: 0, callStaleMs: [0] }),
  };
  return {
    seed,
    shape,
    weights,
    steps: 60 + Math.floor(random.next() * random.pick([120, 240, 400])),
    settles: random.next() < 0.1,
  };
}

function drawWeights(random: SeededRandom): Weights {
  const weights: Partial<Record<What, number>> = {
    network: random.pick([30, 40, 55, 70, 90]),
    call: random.pick([8, 16, 30]),
    request: random.pick([0, 4, 10]),
    advance: random.pick([1, 3, 8, 14]),
    change: random.pick([4, 8, 14]),
    importKeys: random.pick([0, 0, 2]),
    commit: random.pick([0, 0, 3]),
    rush: random.pick([0, 0, 3]),
    arrive: random.pick([0, 0, 6]),
    tick: random.pick([0, 0, 4]),
    // None: every notice is lost, or late without end.
    message: random.pick([0, 1, 6, 12]),
  };
  const share = random.pick([0.05, 0.15, 0.3]);
  const most = random.pick([2, 4, 8]);
  const without: readonly What[] = random.next() < 0.5 ? ["jump"] : ["suspend", "setBack"];
  for (const fault of faultKinds) {
    const isOn = random.next() < share && !without.includes(fault);
    const weight = 1 + Math.floor(random.next() * most);
    if (isOn) weights[fault] = weight;
  }
  return weights;
}

function drawShape(random: SeededRandom, isOrdinary: boolean): WorldShape {
  const organisations = random.pick([1, 2, 2, 3, 3, 4, 6]);
  const drawn: WorldShape = {
    workers: random.pick([1, 2, 2, 3]),
    organisations,
    maxOrgs: random.pick([1, 1, 1, 2, 5]),
    pageRows: random.pick([1, 3, 3, 10]),
    delays: random.pick<Delays>([{}, {}, {}, {}, { log: 5 }, { redis: 5 }]),
    leaseMs: random.pick([3_000, 10_000, 10_000]),
    serveStaleMs: random.pick([0, 0, 5_000]),
    absentStaleMs: random.pick([0, 20_000]),
    callStaleMs: random.pick([[15_000, 0], [0], [15_000], [60_000]]),
    hasCache: random.next() < 0.9,
    entryMs: random.pick([4_000, 20_000, 20_000]),
    isKeyringRemote: random.next() < 0.15,
    hasSignals: random.next() < 0.3,
    hasBareCalls: true,
  };
  return isOrdinary ? { ...ordinaryShape, organisations, workers: drawn.workers, hasBareCalls: true } : drawn;
}
