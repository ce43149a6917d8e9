import { SeededRandom } from "../search/seeded-random.ts";
import { letHappen, type What } from "./happenings.ts";
import { loadAhead } from "./load-ahead.ts";
import { fetchOfTheModel } from "./model-fetch.ts";
import { pseudoRandom } from "./schedule.ts";
import { faultKinds, type Swarm, swarmOf } from "./swarm.ts";
import { type Watched, watchStates } from "./watch-states.ts";
import { World } from "./world.ts";

export type Step = readonly [what: What, n: number];

/** What one schedule of the model has come to. */
export interface ModelRun {
  readonly resolves: number;
  /** Every state, event and outcome that was seen. */
  readonly seen: ReadonlySet<string>;
  /** Every kind of fault that happened to something. */
  readonly faults: ReadonlySet<What>;
  readonly steps: number;
  readonly violations: readonly string[];
}

const kinds: ReadonlySet<What> = new Set(faultKinds);
let watched: Watched | undefined;

/** Makes this process one of the model: nothing leaves it, and what the real code decides is noted. */
export async function becomeModel(): Promise<void> {
  await loadAhead();
  globalThis.fetch = fetchOfTheModel as typeof fetch;
  // The price of an error is the text of its stack, which nothing reads.
  Error.stackTraceLimit = 0;
  watched = { maxOrgs: 0, seen: new Set(), violations: [] };
  watchStates(watched);
}

/** The steps of a seed, in their order. */
export function stepsOf({ seed, weights, steps }: Swarm): Step[] {
  const random = new SeededRandom(seed ^ 0x5bd1_e995);
  const table = Object.entries(weights).flatMap(([what, weight]) => Array<What>(weight).fill(what as What));
  return Array.from({ length: steps }, () => [
    table[Math.floor(random.next() * table.length)] ?? "network",
    Math.floor(random.next() * 100_000),
  ]);
}

/** Runs one seed's schedule, or `steps` under its configuration, until something is handed out that must not be. */
export async function runModel(seed: number, steps?: readonly Step[]): Promise<ModelRun> {
  if (watched === undefined) await becomeModel();
  const { seen, violations } = watched as Watched;
  const swarm = swarmOf(seed);
  seen.clear();
  violations.length = 0;
  (watched as Watched).maxOrgs = swarm.shape.maxOrgs;
  const world = new World(pseudoRandom(), swarm.shape);
  const faults = new Set<What>();
  const isViolated = (): boolean => world.violations.length + violations.length > 0;
  let taken = 0;
  for (const [what, n] of steps ?? stepsOf(swarm)) {
    if ((await letHappen(world, what, n)) && kinds.has(what)) faults.add(what);
    world.judgeHeld();
    taken += 1;
    if (isViolated()) break;
  }
  if (!isViolated() && swarm.settles) await world.settle();
  await world.close();
  for (const state of world.seen) seen.add(state);
  return { resolves: world.resolves, seen, faults, steps: taken, violations: [...world.violations, ...violations] };
}
