import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { watchKnowledge } from "./knowledge.ts";
import { loadAhead } from "./load-ahead.ts";
import { fetchOfTheModel } from "./model-fetch.ts";
import { play, pseudoRandom, schedules } from "./schedule.ts";
import { allOfTheUseRule, watchUseRule } from "./use-rule.ts";
import { World } from "./world.ts";

const isWithoutGuard = process.env["BYOKIT_GUARD"] !== undefined;
/** As many as npm test has time for; BYOKIT_SCHEDULES asks for more. A guard that is taken out is noticed within 4,000. */
const numRuns = Number(process.env["BYOKIT_SCHEDULES"] ?? (isWithoutGuard ? 4_000 : 2_000));

/** The same schedules in every run; BYOKIT_SEED asks for others. */
const seed = Number(process.env["BYOKIT_SEED"] ?? 20_261_124);

const seen = new Set<string>();
/** A machine that is slow fails the run, but not the property: that would pass for a guard that was noticed. */
let isInterrupted: boolean | undefined;

beforeAll(async () => {
  await loadAhead();
  vi.stubGlobal("fetch", fetchOfTheModel);
  watchUseRule(seen);
  watchKnowledge();
});
afterAll(() => void vi.unstubAllGlobals());

it("no schedule of calls, changes and faults makes a worker hand out what it must not", async () => {
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const world = new World(pseudoRandom());
    await play(world, schedule);
    await world.close();
    for (const event of world.seen) seen.add(event);
    expect(world.violations).toEqual([]);
  });
  const details = await fc.check(property, {
    numRuns,
    seed,
    endOnFailure: isWithoutGuard,
    interruptAfterTimeLimit: 240_000,
  });
  isInterrupted = details.interrupted;
  if (details.failed) throw new Error(await fc.asyncDefaultReportMessage(details));
}, 300_000);

it("those schedules were all tried, and have seen every branch of the use rule pass and refuse", () => {
  expect(isInterrupted).toBe(false);
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      ...allOfTheUseRule,
      "atLeast served",
      "cache_down",
      "cache_up",
      "entry_refused other_history",
      "entry_refused outdated",
      "entry_refused unopened",
      "feed_recovered",
      "flushed other_history",
      "flushed other_incarnation",
      "poll_failed",
      "request byok",
      "request platform",
      "request store_unavailable",
      "source_changed",
      "snapshot_refused",
      "snapshot_used cache",
      "snapshot_used memory",
      "snapshot_used store",
      "stale",
    ]),
  );
});
