import { setTimeout as pause } from "node:timers/promises";
import type { Forwarder } from "../servers/forwarder.ts";
import { LiveWorld, type Parameters, type Servers } from "./live-world.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface ScheduleResult {
  /** The parameters and the faults, in order. */
  readonly name: string;
  readonly resolves: number;
  readonly healedMs: number;
  readonly violations: readonly string[];
  readonly seen: ReadonlyMap<string, number>;
}

/** What may happen to a link. */
const linkFaults = {
  cut: (link: Forwarder) => link.to(null),
  silence: (link: Forwarder) => link.fallSilent(),
  forget: (link: Forwarder) => link.forget(),
} as const;

const linkNames = ["first database", "second database", "manager", "first Redis", "second Redis"] as const;

/** Draws parameters and faults, lets them happen under load, mends everything, and judges. */
export async function runSchedule(servers: Servers, random: SeededRandom): Promise<ScheduleResult> {
  const parameters: Parameters = {
    workerRttMs: random.pick([0, 0, 4, 20, 80]),
    managerRttMs: random.pick([0, 4, 40, 150]),
    poolSize: random.pick([2, 4, 8]),
    organisations: random.pick([2, 4, 8]),
    pastChanges: random.pick([0, 0, 2_500, 2_500, 70_000]),
  };
  const happened: string[] = [];
  const world = await LiveWorld.open(servers, parameters);
  let isOver = false;
  const changing = (async () => {
    while (!isOver) {
      await world.change();
      await pause(20);
    }
  })();
  try {
    const faults = 2 + Math.floor(random.next() * 4);
    for (let at = 0; at < faults; at += 1) {
      happened.push(await breakSomething(world, random));
      await world.inspect();
      await pause(random.pick([50, 300, 900, 1_800]));
      if (random.next() < 0.3) world.heal();
    }
    world.heal();
    isOver = true;
    await changing;
    const healedMs = await world.awaitHealth();
    await world.inspect();
    const resolves = world.judgeCalls();
    const name = `${JSON.stringify(parameters)}; ${happened.join(", ")}`;
    return { name, resolves, healedMs, violations: world.violations, seen: world.seen };
  } finally {
    isOver = true;
    await world.close();
  }
}

async function breakSomething(world: LiveWorld, random: SeededRandom): Promise<string> {
  const [first, second] = world.workers;
  if (first === undefined || second === undefined) throw new Error("There are two workers.");
  const links = [first.database, second.database, world.managerLink, first.redis, second.redis];
  const what = random.next();
  if (what < 0.15) {
    await world.endBackends();
    return "backends ended";
  }
  if (what < 0.3) {
    const worker = random.pick([first, second]);
    worker.clock.skewMs = random.pick([-60_000, -500, 700, 90_000]);
    return `wall clock ${worker.clock.skewMs} ms`;
  }
  const index = Math.floor(random.next() * links.length);
  const kind = random.pick(["cut", "silence", "forget"] as const);
  linkFaults[kind](links[index] as Forwarder);
  return `${kind} ${linkNames[index]}`;
}
