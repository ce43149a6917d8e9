import { describe, expect, inject, it } from "vitest";
import { growPostgres, growSqlite } from "../../bench/growth/growing-store.ts";
import { exponentGoal, growthRow, measureGrowth } from "../../bench/growth.ts";

const server = { url: inject("postgresUrl"), stop: async () => {} };

describe.each([
  ["Postgres", growPostgres],
  ["SQLite", growSqlite],
])("the growth of %s", (_name, grow) => {
  it("is measured on what changes would have left, operation by operation and at each size", async () => {
    const engine = await grow([100, 200], { isDurable: false, server });
    try {
      const [{ store, orgIds }] = engine.stores as [(typeof engine.stores)[number]];
      expect(await store.findContradictions(1)).toEqual([]);
      expect(await store.snapshots([orgIds[99] ?? ""])).toMatchObject([{ asOf: 300, keys: [{}, {}, {}] }]);
      expect((await store.poll({ after: 297 })).changes).toMatchObject([298, 299, 300].map((seq) => ({ seq })));
      const rows = await measureGrowth(engine, 1, 0.01);
      expect(rows).toHaveLength(14);
      for (const { figures, exponent } of rows) {
        expect(figures).toMatchObject([{ size: 100 }, { size: 200 }]);
        for (const { us, leastUs } of figures) expect(us).toBe(leastUs);
        expect(exponent).not.toBeNaN();
      }
    } finally {
      await engine.close();
    }
  });
});

it("a goal is met up to its exponent, and asked of nothing that returns more rows", () => {
  const row = { engine: "Postgres", operation: "poll", returnsMore: false, figures: [] };
  expect(growthRow({ ...row, exponent: exponentGoal })).toMatchObject({ goal: "≤ 0.1 as exponent: met" });
  expect(growthRow({ ...row, exponent: 0.11 })).toMatchObject({ goal: "≤ 0.1 as exponent: missed" });
  expect(growthRow({ ...row, exponent: 1, returnsMore: true })).toMatchObject({ goal: "returns more rows" });
});
