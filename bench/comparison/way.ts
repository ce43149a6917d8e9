import { rounded } from "../compare.ts";
import type { Row } from "../figures.ts";
import { leastDisturbed, median, medians, takeTurns } from "../take-turns.ts";

/** One way of doing the same thing as the others beside it. */
export interface Way {
  readonly way: string;
  readonly work: () => Promise<unknown>;
}

const atATime = 32;

/** Rows of ways that take turns: one at a time, and 32 at a time. */
export async function waysInTurns(ways: readonly Way[]): Promise<Row[]> {
  const alone = await takeTurns(ways.map(({ work }) => work));
  const together = await takeTurns(
    ways.map(
      ({ work }) =>
        () =>
          Promise.all(Array.from({ length: atATime }, work)),
    ),
  );
  const [usual, least, usualTogether] = [medians(alone), leastDisturbed(alone), medians(together)];
  return ways.map(({ way }, at) => ({
    way,
    µs: rounded(usual[at] ?? Number.NaN),
    "least disturbed µs": rounded(least[at] ?? Number.NaN),
    "beyond the first µs": rounded(median(alone.map((round) => (round[at] ?? Number.NaN) - (round[0] ?? Number.NaN)))),
    [`each of ${atATime} at a time µs`]: rounded((usualTogether[at] ?? Number.NaN) / atATime),
  }));
}
