import { Bench } from "tinybench";

/** One thing that byokit does, beside the least that would have to be done without it. */
export interface Comparison {
  readonly what: string;
  readonly bare: string;
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
  readonly goal?: Goal;
}

/** The most that it may take: microseconds, or times what the bare way takes. */
export interface Goal {
  readonly us?: number;
  readonly ratio?: number;
}

export interface Compared {
  readonly what: string;
  readonly bare: string;
  readonly oursUs: number;
  readonly bareUs: number;
  readonly ratio: number;
  readonly goal: Goal;
}

const rounds = 7;
const roundMs = 300;

/** Medians over rounds in which the two take turns, so that a busy machine slows down both. */
export async function compare({ what, bare, ours, theirs, goal = {} }: Comparison): Promise<Compared> {
  const samples: { readonly oursUs: number; readonly bareUs: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bench = new Bench({ time: roundMs, warmupTime: 50 }).add("ours", ours).add("bare", theirs);
    await bench.run();
    samples.push({ oursUs: medianUs(bench, "ours"), bareUs: medianUs(bench, "bare") });
  }
  return {
    what,
    bare,
    oursUs: median(samples.map(({ oursUs }) => oursUs)),
    bareUs: median(samples.map(({ bareUs }) => bareUs)),
    ratio: median(samples.map(({ oursUs, bareUs }) => oursUs / bareUs)),
    goal,
  };
}

/** A comparison's goal, and whether it was met; nothing where it has none. */
export function judgeGoal({ oursUs, ratio, goal }: Compared): string {
  const stated = [
    ...(goal.us === undefined ? [] : [{ text: `${goal.us} µs`, isMet: oursUs <= goal.us }]),
    ...(goal.ratio === undefined ? [] : [{ text: `${goal.ratio} times`, isMet: ratio <= goal.ratio }]),
  ];
  return stated.map(({ text, isMet }) => `${isMet ? "met" : "missed"}: ≤ ${text}`).join(", ");
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function medianUs(bench: Bench, task: string): number {
  const result = bench.getTask(task)?.result;
  if (result === undefined || !("latency" in result)) throw new Error(`The task "${task}" has no result.`);
  return result.latency.p50 * 1_000;
}
