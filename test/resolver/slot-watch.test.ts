import { expect, it } from "vitest";
import type { SlotDecisions } from "../../src/resolver/slot-decisions.ts";
import { SlotWatch } from "../../src/resolver/slot-watch.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

/** A watch whose slot is reconsidered as `isKnown` says, and what was watched. */
function watched(isKnown: () => boolean) {
  const clock = new ManualClock();
  const seen = { reconsidered: 0, watching: 0 };
  const memory = {
    watch: () => {
      seen.watching += 1;
      return () => {
        seen.watching -= 1;
      };
    },
  };
  const decisions = { clock, settings: { pollMs: 1_000 }, cache: { memory, feed: { follow: () => {} } } };
  const watch = new SlotWatch(decisions as unknown as SlotDecisions, "org", async () => {
    seen.reconsidered += 1;
    return isKnown();
  });
  return { watch, clock, seen };
}

it("one retry is pending, however often something changes while nothing is known", async () => {
  let isKnown = false;
  const { watch, clock, seen } = watched(() => isKnown);
  for (let changes = 0; changes < 5; changes += 1) {
    watch.changed();
    await settle();
  }
  expect([seen.reconsidered, clock.pendingTimers]).toEqual([5, 1]);
  await clock.advance(1_000);
  expect([seen.reconsidered, clock.pendingTimers]).toEqual([6, 1]);
  isKnown = true;
  await clock.advance(1_000);
  expect([seen.reconsidered, clock.pendingTimers]).toEqual([7, 0]);
});

it("a reconsideration that fails is made again", async () => {
  let isBroken = true;
  const { watch, clock, seen } = watched(() => {
    if (isBroken) throw new Error("A bug.");
    return true;
  });
  watch.changed();
  await clock.advance(0);
  isBroken = false;
  await clock.advance(1_000);
  expect([seen.reconsidered, clock.pendingTimers]).toEqual([2, 0]);
});

it("a change during a reconsideration is looked at after it, once", async () => {
  const { watch, seen } = watched(() => true);
  for (let changes = 0; changes < 5; changes += 1) watch.changed();
  await settle();
  expect(seen.reconsidered).toBe(2);
});

it("a signal is made once and watches once, and a socket for as long as it is open", async () => {
  const { watch, seen } = watched(() => true);
  const slot = {};
  expect(watch.signal(slot)).toBe(watch.signal(slot));
  expect(seen.watching).toBe(1);
  const release = watch.hold();
  expect(seen.watching).toBe(2);
  release();
  expect(seen.watching).toBe(1);
});

it("a retry ends once a change has told what serves", async () => {
  let isKnown = false;
  const { watch, clock } = watched(() => isKnown);
  watch.changed();
  await settle();
  expect(clock.pendingTimers).toBe(1);
  isKnown = true;
  watch.changed();
  await settle();
  expect(clock.pendingTimers).toBe(0);
});
