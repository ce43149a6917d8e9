import type { Row } from "./figures.ts";
import { leastDisturbed, median, medians, type Pace, takeTurns, type Work } from "./take-turns.ts";

/** One thing that byokit does, beside the least that would have to be done without it. */
export interface Comparison {
  readonly what: string;
  readonly bare: string;
  readonly ours: Work;
  readonly theirs: Work;
  /** How many of what is timed one call of either does. @default 1 */
  readonly each?: number;
  readonly goal?: Goal;
}

/** The most that it may take: microseconds, times what the bare way takes, or microseconds beyond it. */
export interface Goal {
  readonly us?: number;
  readonly ratio?: number;
  readonly addedUs?: number;
}

/** Medians over the rounds, and what both took in the least disturbed of them. */
export interface Compared {
  readonly what: string;
  readonly bare: string;
  readonly oursUs: number;
  readonly bareUs: number;
  readonly ratio: number;
  readonly addedUs: number;
  readonly least: { readonly oursUs: number; readonly bareUs: number };
  readonly goal: Goal;
}

export async function compare(
  { what, bare, ours, theirs, each = 1, goal = {} }: Comparison,
  pace: Pace = {},
): Promise<Compared> {
  const rounds = (await takeTurns([ours, theirs], pace)).map((round) => round.map((us) => us / each));
  const [oursUs = Number.NaN, bareUs = Number.NaN] = medians(rounds);
  const [leastOursUs = Number.NaN, leastBareUs = Number.NaN] = leastDisturbed(rounds);
  const both = (of: (oursUs: number, bareUs: number) => number): number =>
    median(rounds.map(([first = Number.NaN, second = Number.NaN]) => of(first, second)));
  return {
    what,
    bare,
    oursUs,
    bareUs,
    ratio: both((first, second) => first / second),
    addedUs: both((first, second) => first - second),
    least: { oursUs: leastOursUs, bareUs: leastBareUs },
    goal,
  };
}

/** A comparison as a row of its table. */
export function comparedRow(compared: Compared): Row {
  const { what, bare, oursUs, bareUs, ratio, addedUs, least, goal } = compared;
  return {
    what,
    "byokit µs": rounded(oursUs),
    "least disturbed µs": rounded(least.oursUs),
    bare,
    "bare µs": rounded(bareUs),
    "bare, least disturbed µs": rounded(least.bareUs),
    ratio: rounded(ratio),
    goal: judgeGoal({ oursUs, ratio, addedUs, goal }),
  };
}

/** A comparison's goal, and whether it was met; nothing where it has none. */
export function judgeGoal({
  oursUs,
  ratio,
  addedUs,
  goal,
}: Pick<Compared, "oursUs" | "ratio" | "addedUs" | "goal">): string {
  return [
    ...(goal.us === undefined ? [] : [judged(oursUs, goal.us, "µs")]),
    ...(goal.ratio === undefined ? [] : [judged(ratio, goal.ratio, "times")]),
    ...(goal.addedUs === undefined ? [] : [judged(addedUs, goal.addedUs, "µs more")]),
  ].join(", ");
}

/** `≤ 10 ms: met`. Missed where nothing was measured. */
export function judged(value: number, most: number, unit: string): string {
  return `≤ ${most} ${unit}: ${rounded(value) <= most ? "met" : "missed"}`;
}

/** To three significant digits, which is more than a shared machine gives. */
export const rounded = (value: number): number => Number(value.toPrecision(3));
