import { expect, it } from "vitest";
import { RecentNumbers } from "../../src/shared-cache/recent-numbers.ts";

it("the numbers that came last are known, and no more of them than that", () => {
  const recent = new RecentNumbers(3);
  for (const number of [5, 9, 5, 1]) recent.add(number);
  expect([recent.size, recent.has(5), recent.has(9), recent.has(1)]).toEqual([3, true, true, true]);
  recent.add(7);
  expect([recent.size, recent.has(5), recent.has(9), recent.has(7)]).toEqual([3, false, true, true]);
  for (let number = 100; number < 10_000; number += 1) recent.add(number);
  expect(recent.size).toBe(3);
  expect([9_996, 9_997, 9_998, 9_999].map((number) => recent.has(number))).toEqual([false, true, true, true]);
});
