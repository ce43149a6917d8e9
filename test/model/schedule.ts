import fc from "fast-check";
import { letHappen, ordinary, profiles, type Weights, type What } from "./happenings.ts";
import type { World } from "./world.ts";

export interface Schedule {
  readonly profile: Weights;
  readonly steps: readonly (readonly [choice: number, n: number])[];
}

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  profile: fc.constantFrom(...profiles),
  steps: fc.array(fc.tuple(fc.nat(9_999), fc.nat(9_999)), { minLength: 60, maxLength: 300, size: "max" }),
});

/** Runs the schedule until it ends or something is handed out that must not be. */
export async function play(world: World, { profile, steps }: Schedule): Promise<void> {
  const weights = Object.entries({ ...ordinary, ...profile }) as [What, number][];
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, n] of steps) {
    let left = choice % total;
    const what = weights.find(([, weight]) => {
      left -= weight;
      return left < 0;
    })?.[0];
    await letHappen(world, what ?? "network", n);
    if (world.violations.length > 0) return;
  }
}

/** The same numbers in every run, so that a schedule decides everything. */
export function pseudoRandom(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
