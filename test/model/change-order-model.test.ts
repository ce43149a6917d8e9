import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { loadAhead } from "./load-ahead.ts";
import { OrderWorld } from "./order-world.ts";
import { pseudoRandom } from "./schedule.ts";
import { drain } from "./virtual-time.ts";

const numRuns = 2_000;
const advances = [1, 50, 700, 2_000, 4_100] as const;
const seen = new Set<string>();

const happen = {
  network: (world: OrderWorld, n: number) => world.network.step(n),
  change: (world: OrderWorld, n: number) => world.change(n),
  cut: (world: OrderWorld, n: number) => world.network.cut(n),
  hangUp: (world: OrderWorld, n: number) => world.hangUp(n),
  advance: (world: OrderWorld, n: number) => world.advance(advances[n % advances.length] ?? 1),
} as const;

const weights = { network: 24, change: 8, cut: 1, hangUp: 1, advance: 2 } as const;
const steps = Object.entries(weights).flatMap(([what, weight]) => Array(weight).fill(what) as (keyof typeof happen)[]);

beforeAll(loadAhead);

it("no schedule of slow checks and lost answers lets an older change overtake a newer one", async () => {
  const schedule = fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat(9_999)), {
    minLength: 20,
    maxLength: 120,
    size: "max",
  });
  const property = fc.asyncProperty(schedule, async (schedule) => {
    const world = new OrderWorld(pseudoRandom());
    for (const [what, n] of schedule) {
      happen[what](world, n);
      await drain();
    }
    await world.settle();
    for (const outcome of world.seen) seen.add(outcome);
    expect(world.violations).toEqual([]);
  });
  await fc.assert(property, { numRuns, seed: 20_261_126, endOnFailure: process.env["BYOKIT_GUARD"] !== undefined });
}, 120_000);

it("those schedules have seen a change end in every way that it may", () => {
  expect([...seen].sort()).toEqual([
    "deadline_exceeded",
    "gone",
    "key_changed",
    "key_rejected",
    "store_unavailable",
    "stored",
  ]);
});
