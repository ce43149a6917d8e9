/**
 * How the time of each operation grows with the number of organisations: `npm run bench:growth`, or with sizes of your own
 * `npm run bench:growth -- --sizes 1000,10000`. A million organisations take ten minutes, most of them for being made.
 */
import { parseArgs } from "node:util";
import { judged, rounded } from "./compare.ts";
import type { Row } from "./figures.ts";
import { type Engine, growPostgres, growSqlite } from "./growth/growing-store.ts";
import { listOperations, type Operation, type Operations } from "./growth/operations.ts";
import { recordFigures } from "./record.ts";
import { median } from "./take-turns.ts";

export interface GrowthRow {
  readonly engine: string;
  readonly operation: string;
  readonly returnsMore: boolean;
  readonly figures: readonly GrowthFigure[];
  /** `e` where the time grows as the size to the power of `e`; of the least disturbed rounds. */
  readonly exponent: number;
}

/** Microseconds: the median of the rounds' medians, and the median of the least disturbed round. */
export interface GrowthFigure {
  readonly size: number;
  readonly us: number;
  readonly leastUs: number;
}

/** The largest exponent of what returns no more rows in a larger store. */
export const exponentGoal = 0.1;

/** `share`: of the usual number of times that each operation is run in a round. */
export interface GrowthOptions {
  readonly rounds?: number;
  readonly share?: number;
  /** Whether Postgres waits for its disk, as in production. SQLite always does. */
  readonly isDurable?: boolean;
}

/** Measures both engines at each size. In every round the sizes take turns, so that a busy machine slows down all of them. */
export async function growth(
  sizes: readonly number[],
  { rounds = 5, share = 1, isDurable = true }: GrowthOptions = {},
): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const grow of [growPostgres, growSqlite]) {
    const engine = await grow(sizes, { isDurable });
    try {
      rows.push(...(await measureGrowth(engine, rounds, share)));
    } finally {
      await engine.close();
    }
  }
  return rows;
}

export async function measureGrowth(
  { name: engine, stores }: Engine,
  rounds: number,
  share: number,
): Promise<GrowthRow[]> {
  const all: Operations[] = [];
  for (const store of stores) all.push(await listOperations(store));
  const rows: GrowthRow[] = [];
  for (const [at, { operation, returnsMore = false }] of (all[0]?.operations ?? []).entries()) {
    const medians = stores.map((): number[] => []);
    // Of several, the first round warms up what is asked for, and does not count.
    for (let round = rounds > 1 ? 0 : 1; round <= rounds; round += 1) {
      for (const [turn, { operations }] of all.entries()) {
        const us = await timed(operations[at] as Operation, share);
        if (round > 0) medians[turn]?.push(us);
      }
    }
    const figures = stores.map(({ size }, turn) => {
      const values = medians[turn] ?? [];
      return { size, us: median(values), leastUs: Math.min(...values) };
    });
    rows.push({ engine, operation, returnsMore, figures, exponent: slope(figures) });
  }
  for (const { close } of all) await close();
  return rows;
}

/** Microseconds, as the median of a round. */
async function timed({ times, per = 1, before, run }: Operation, share: number): Promise<number> {
  const samples: number[] = [];
  for (let time = 0; time < times * share; time += 1) {
    await before?.();
    const beganAtMs = performance.now();
    await run();
    samples.push(((performance.now() - beganAtMs) * 1_000) / per);
  }
  return median(samples);
}

/** By least squares. */
function slope(figures: readonly GrowthFigure[]): number {
  const points = figures.map(({ size, leastUs }) => ({ x: Math.log(size), y: Math.log(leastUs) }));
  const meanOf = (value: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const [meanX, meanY] = [meanOf(({ x }) => x), meanOf(({ y }) => y)];
  return meanOf(({ x, y }) => (x - meanX) * (y - meanY)) / meanOf(({ x }) => (x - meanX) ** 2);
}

/** A row of its table, from the least disturbed rounds: its exponent beside the goal, met or missed. */
export function growthRow({ engine, operation, returnsMore, figures, exponent }: GrowthRow): Row {
  const times = figures.map(({ size, leastUs }) => [`${size.toLocaleString("en")} organisations µs`, rounded(leastUs)]);
  const goal = returnsMore ? "returns more rows" : judged(exponent, exponentGoal, "as exponent");
  return { what: `${engine}: ${operation}`, ...Object.fromEntries(times), exponent: Number(exponent.toFixed(2)), goal };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { sizes: { type: "string", default: "1000,100000,1000000" }, record: { type: "boolean" } },
  });
  const sizes = values.sizes.split(",").map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 100)) throw new Error("Name sizes of at least 100.");
  await recordFigures("growth", (await growth(sizes)).map(growthRow));
}
