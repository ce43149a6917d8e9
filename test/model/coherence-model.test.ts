import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { play, pseudoRandom, schedules } from "./schedule.ts";
import { World } from "./world.ts";

/** How many schedules are tried; a guard that is taken out must be noticed within as many. */
const numRuns = 4_000;

// Imported with the first call otherwise, in turns that no schedule decides.
beforeAll(async () => void (await import("../../src/resolver/agent-config.ts")));

it("no schedule of calls, changes and faults makes a worker hand out what it must not", async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const world = new World(pseudoRandom());
    await play(world, schedule);
    await world.close();
    for (const event of world.seen) seen.add(event);
    expect(world.violations).toEqual([]);
  });
  await fc.assert(property, {
    numRuns,
    seed: 20_261_124,
    endOnFailure: process.env["BYOKIT_GUARD"] !== undefined,
    interruptAfterTimeLimit: 90_000,
    markInterruptAsFailure: true,
  });
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      "cache_down",
      "cache_up",
      "entry_refused other_history",
      "entry_refused unopened",
      "feed_recovered",
      "flushed other_history",
      "flushed other_incarnation",
      "poll_failed",
      "snapshot_refused",
      "snapshot_used cache",
      "snapshot_used memory",
      "snapshot_used store",
      "stale",
    ]),
  );
}, 180_000);
