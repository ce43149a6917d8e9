import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { Deadline, within } from "../src/deadline.ts";
import { ManualClock } from "./support/manual-clock.ts";

const expired = new Error("The time is up.");
const outcomeOf = async (work: Promise<unknown>): Promise<unknown> => await work.catch((error: unknown) => error);

/** Work that is settled by hand, raced by a call of a second with a signal. */
const begin = () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const work = Promise.withResolvers<string>();
  const outcome = outcomeOf(new Deadline(clock, 1_000, [controller.signal], () => expired).race(work.promise));
  return { clock, controller, work, outcome };
};
type Raced = ReturnType<typeof begin>;

it.each<[string, (raced: Raced) => unknown, unknown]>([
  ["as its work resolves", ({ work }) => work.resolve("done"), "done"],
  ["as its work rejects", ({ work }) => work.reject("broken"), "broken"],
  ["with the reason of its signal", ({ controller }) => controller.abort("gone"), "gone"],
  ["with its own error when the time is up", ({ clock }) => clock.advance(1_000), expired],
])("a call ends %s, and leaves neither timer nor listener behind", async (_how, end, expected) => {
  const raced = begin();
  await end(raced);
  expect(await raced.outcome).toBe(expected);
  expect(getEventListeners(raced.controller.signal, "abort")).toEqual([]);
  expect(raced.clock.pendingTimers).toBe(0);
});

it("a call that has ended already waits for nothing, and its work's failure is nobody's", async () => {
  const clock = new ManualClock();
  expect(
    await outcomeOf(new Deadline(clock, 1_000, [AbortSignal.abort("gone")], () => expired).race(Promise.reject(1))),
  ).toBe("gone");
  expect(await outcomeOf(within(clock, 0, Promise.reject(1), () => expired))).toBe(expired);
  expect(clock.pendingTimers).toBe(0);
});

it("work that fails after its call has ended is nobody's failure", async () => {
  const { clock, work, outcome } = begin();
  await clock.advance(1_000);
  work.reject(new Error("late"));
  expect(await outcome).toBe(expired);
});
