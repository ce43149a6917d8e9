import type { Parameters } from "./live-world.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What may happen to real servers, to the links to them, and to a worker's clock. */
export const serverFaults = [
  "cut",
  "silence",
  "forget",
  "backends ended",
  "wall clock",
  "pause",
  "Redis wiped",
  "Redis serves old entries",
  "entries exchanged",
  "entries spoilt",
  "notices forged",
  "keyring away",
  "callers give up",
] as const;

export type ServerFault = (typeof serverFaults)[number];

/** What one seed decides of a schedule on real servers before anything happens. */
export interface ServerSwarm {
  readonly seed: number;
  readonly parameters: Parameters;
  readonly faults: readonly [ServerFault, ...ServerFault[]];
  readonly count: number;
}

/** The same seed is the same configuration, on any machine. */
export function serverSwarmOf(seed: number): ServerSwarm {
  const random = new SeededRandom(seed);
  const workerRttMs = random.pick([0, 0, 4, 20, 80]);
  // What stands for distance holds up each chunk behind the one before: a long log from afar would take a minute.
  const longestPast = workerRttMs > 4 ? 2_500 : 70_000;
  const parameters: Parameters = {
    workerRttMs,
    managerRttMs: random.pick([0, 4, 40, 150]),
    poolSize: random.pick([2, 4, 8]),
    organisations: random.pick([2, 4, 8]),
    pastChanges: Math.min(longestPast, random.pick([0, 0, 2_500, 2_500, 70_000])),
    maxOrgs: random.pick([10_000, 10_000, 1, 3]),
  };
  const share = random.pick([0.2, 0.4, 0.8]);
  const on = serverFaults.filter(() => random.next() < share);
  const some = random.pick(serverFaults);
  const [first = some, ...others] = on;
  return { seed, parameters, faults: [first, ...others], count: 2 + Math.floor(random.next() * 5) };
}
