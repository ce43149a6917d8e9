import { SeededRandom } from "../search/seeded-random.ts";
import { ordinary, profiles, type Weights, type What } from "./happenings.ts";
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
  "redisDown",
  "keyringDown",
  "keyringRemote",
  "stop",
  "restart",
  "revive",
  "swap",
  "flush",
  "prune",
  "promote",
  "restore",
  "cut",
  "cutManager",
  "restartManager",
  "partition",
  "slow",
  "hangUp",
  "forge",
  "spoil",
  "jump",
  "suspend",
  "setBack",
] as const satisfies readonly What[];

/** Much of one kind, as in npm test; and what needs two faults that meet seldom. */
const allProfiles: readonly Weights[] = [
  ...profiles,
  // Histories are lost while reads are slow, or end without an answer.
  { restore: 4, promote: 2, change: 12, cut: 3, slow: 8, network: 60 },
  // Workers begin beside them.
  { restart: 8, restore: 5, slow: 5, change: 10, call: 24 },
  // Much is read ahead of the log, and the history is lost behind it.
  { call: 30, change: 10, advance: 1, message: 0, request: 2, network: 70, restore: 3, slow: 5 },
  // Read ahead, evict, revive, while the log is hard to read.
  { call: 30, change: 9, advance: 2, message: 0, request: 6, network: 70, revive: 14, slow: 6, databaseDown: 1 },
];

/** The same seed is the same configuration, on any machine. */
export function swarmOf(seed: number): Swarm {
  const random = new SeededRandom(seed);
  const isProfile = random.next() < 0.4;
  const profile = random.pick(allProfiles as [Weights, ...Weights[]]);
  const weights = isProfile ? { ...ordinary, ...profile } : drawWeights(random);
  const shape = drawShape(random, isProfile);
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
    leaseMs: random.pick([3_000, 10_000, 10_000]),
    serveStaleMs: random.pick([0, 0, 5_000]),
    absentStaleMs: random.pick([0, 20_000]),
    callStaleMs: random.pick([[15_000, 0], [0], [15_000], [60_000]]),
    entryMs: random.pick([4_000, 20_000, 20_000]),
    isKeyringRemote: random.next() < 0.15,
    hasSignals: random.next() < 0.3,
    hasBareCalls: true,
  };
  return isOrdinary ? { ...ordinaryShape, organisations, workers: drawn.workers, hasBareCalls: true } : drawn;
}
