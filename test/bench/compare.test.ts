import { describe, expect, it } from "vitest";
import { compare, comparedRow, judgeGoal } from "../../bench/compare.ts";
import { takeTurns } from "../../bench/take-turns.ts";

/** A clock that takes a microsecond to be read, and work that takes as long as it says. */
function slowClock() {
  let ns = 0;
  return {
    now: () => {
      ns += 1_000;
      return ns / 1_000_000;
    },
    work: (takesNs: number) => () => {
      ns += takesNs;
    },
    workAwaited: (takesNs: number) => async () => {
      ns += takesNs;
    },
  };
}

const nothing = { what: "a", bare: "b" };

describe("a comparison", () => {
  it("of what takes 50 ns does not show the microsecond that its clock takes", async () => {
    const { now, work, workAwaited } = slowClock();
    const compared = await compare({ ...nothing, ours: workAwaited(400), theirs: work(50) }, { now, turnMs: 2 });
    expect(compared.oursUs).toBeCloseTo(0.4, 2);
    expect(compared.bareUs).toBeCloseTo(0.05, 2);
    expect(compared.ratio).toBeCloseTo(8, 0);
  });

  it("tells the medians and the least disturbed round", async () => {
    const { now, work } = slowClock();
    let calls = 0;
    const disturbed = (takesNs: number) => () => work((calls++ % 7) * 1_000 + takesNs)();
    const pace = { now, turnMs: 0.001, rounds: 15 };
    const { oursUs, least } = await compare({ ...nothing, ours: disturbed(9_000), theirs: work(5_000) }, pace);
    expect(least.oursUs).toBeLessThan(oursUs);
  });

  it("divides by how much each call does", async () => {
    const { now, work } = slowClock();
    const both = { ours: work(32_000), theirs: work(16_000), each: 32 };
    const compared = await compare({ ...nothing, ...both }, { now, turnMs: 5 });
    expect(compared.oursUs).toBeCloseTo(1, 1);
    expect(compared.addedUs).toBeCloseTo(0.5, 1);
  });

  it("begins again what fails, and tells a failure that stays", async () => {
    const { now, work } = slowClock();
    let calls = 0;
    const failing = (until: number) => () => {
      calls += 1;
      if (calls > 3 && calls < until) throw new Error("busy");
      work(1_000_000)();
    };
    expect(await takeTurns([failing(6)], { now, turnMs: 1, rounds: 4 })).toHaveLength(4);
    calls = 0;
    await expect(takeTurns([failing(1_000)], { now, turnMs: 1, rounds: 4 })).rejects.toThrow("busy");
  });
});

describe("a goal", () => {
  const measured = { oursUs: 28, ratio: 1.26, addedUs: 12 };

  it("stands beside its figure, met or missed", () => {
    expect(judgeGoal({ ...measured, goal: { us: 30, ratio: 1.2 } })).toBe("≤ 30 µs: met, ≤ 1.2 times: missed");
    expect(judgeGoal({ ...measured, goal: { addedUs: 10 } })).toBe("≤ 10 µs more: missed");
    expect(judgeGoal({ ...measured, goal: {} })).toBe("");
  });

  it("that nothing was measured for is missed", () => {
    const compared = { ...measured, ...nothing, bareUs: 1, least: { oursUs: 1, bareUs: 1 }, goal: { us: 30 } };
    expect(comparedRow({ ...compared, oursUs: Number.NaN })["goal"]).toBe("≤ 30 µs: missed");
  });
});
