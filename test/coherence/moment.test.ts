import { expect, it } from "vitest";
import { overdueMs } from "../../src/coherence/moment.ts";

const moment = (monotonicMs: number, wallMs: number) => ({ monotonicMs, wallMs });

it("ends a lease by whichever clock ran further", () => {
  expect(overdueMs(moment(0, 0), 100, moment(99, 99))).toBe(-1);
  expect(overdueMs(moment(0, 0), 100, moment(100, 50))).toBe(0);
  expect(overdueMs(moment(0, 0), 100, moment(10, 150))).toBe(50);
});

it("ends a lease when the wall clock was set back", () => {
  expect(overdueMs(moment(0, 1_000), 100, moment(10, 999))).toBe(0);
});
