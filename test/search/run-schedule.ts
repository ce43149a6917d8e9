import { setTimeout as pause } from "node:timers/promises";
import type { Forwarder } from "../servers/forwarder.ts";
import type { Counts } from "./counts.ts";
import { LiveWorld, type Servers } from "./live-world.ts";
import { Tally } from "./model-batch.ts";
import { SeededRandom } from "./seeded-random.ts";
import { type ServerFault, serverSwarmOf } from "./swarm-of-servers.ts";

export interface ScheduleReport {
  /** The faults, in order. */
  readonly happened: readonly string[];
  readonly resolves: number;
  /** How long it took to be served again; `undefined` when the schedule failed before. */
  readonly healedMs: number | undefined;
  readonly violations: readonly string[];
  readonly seen: Counts;
  readonly faults: Counts;
  readonly pairs: Counts;
}

/** What happens to a world, by each fault. Returns what it happened to, where that was drawn. */
const happen: Readonly<
  Record<ServerFault, (world: LiveWorld, random: SeededRandom) => string | Promise<string | undefined> | undefined>
> = {
  cut: (world, random) => onLink(world, random, (link) => link.to(null)),
  silence: (world, random) => onLink(world, random, (link) => link.fallSilent()),
  forget: (world, random) => onLink(world, random, (link) => link.forget()),
  "backends ended": (world) => world.endBackends().then(() => undefined),
  "wall clock"(world, random) {
    const index = random.pick([0, 1]);
    const skewMs = random.pick([-60_000, -500, 700, 90_000]);
    const worker = world.workers[index];
    if (worker !== undefined) worker.clock.skewMs = skewMs;
    return `of worker ${index}, ${skewMs} ms`;
  },
  pause(_world, random) {
    const ms = random.pick([200, 700, 1_500]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return `${ms} ms`;
  },
  "Redis wiped": (world) => world.attacker.wipe().then(() => undefined),
  "Redis serves old entries": (world) => world.attacker.revive().then(() => undefined),
  "entries exchanged": (world) => world.attacker.exchange().then(() => undefined),
  "entries spoilt": (world) => world.attacker.spoil().then(() => undefined),
  "notices forged": (world) => world.attacker.forge().then(() => undefined),
  "keyring away": (world) => void world.loseKeyring(),
  "callers give up"(world, random) {
    const ms = random.pick([1, 5, 60]);
    world.giveUp(ms);
    return `after ${ms} ms`;
  },
};

/** Plays one seed: its faults happen under load, everything is mended, and then it is judged. A schedule that fails is a violation. */
export async function runSchedule(servers: Servers, seed: number): Promise<ScheduleReport> {
  const happened: string[] = [];
  try {
    return await play(servers, seed, happened);
  } catch (error) {
    const violations = [`the schedule failed: ${String(error)}`];
    return { happened, resolves: 0, healedMs: undefined, violations, seen: {}, faults: {}, pairs: {} };
  }
}

async function play(servers: Servers, seed: number, happened: string[]): Promise<ScheduleReport> {
  const swarm = serverSwarmOf(seed);
  const random = new SeededRandom(seed ^ 0x2545_f491);
  const tally = new Tally();
  const faults = new Set<string>();
  const world = await LiveWorld.open(servers, swarm.parameters);
  let isOver = false;
  const changing = (async () => {
    while (!isOver) {
      await world.change();
      await pause(20);
    }
  })();
  try {
    for (let at = 0; at < swarm.count; at += 1) {
      const fault = random.pick(swarm.faults);
      happened.push(fault);
      happened[at] = [fault, await happen[fault](world, random)].join(" ").trim();
      faults.add(fault);
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
    tally.add(new Set(world.seen.keys()), faults);
    const { seen, pairs } = tally;
    return { happened, resolves, healedMs, violations: world.violations, seen, faults: tally.faults, pairs };
  } finally {
    isOver = true;
    await changing;
    await world.close();
  }
}

function onLink(world: LiveWorld, random: SeededRandom, happens: (link: Forwarder) => void): string {
  const [first, second] = world.workers;
  if (first === undefined || second === undefined) throw new Error("There are two workers.");
  const links = {
    "the first worker's database": first.database,
    "the second worker's database": second.database,
    "the manager's database": world.managerLink,
    "the first worker's Redis": first.redis,
    "the second worker's Redis": second.redis,
  };
  const [name, link] = Object.entries(links)[Math.floor(random.next() * 5)] as [string, Forwarder];
  happens(link);
  return name;
}
