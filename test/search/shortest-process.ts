/** Plays the seed that it is given, and leaves steps out, many and then few, as long as something is violated still. */
import { runModel, type Step, stepsOf } from "../model/run-model.ts";
import { swarmOf } from "../model/swarm.ts";

const maxRuns = 600;
const seed = Number(process.argv[2]);
const all = stepsOf(swarmOf(seed));
let { violations, steps: taken } = await runModel(seed);
let steps: readonly Step[] = violations.length > 0 ? all.slice(0, taken) : all;
let runs = 0;
// What is known so far: one of the schedules with fewer steps may never end.
process.send?.({ steps, violations });
for (let size = steps.length >> 1; size >= 1 && violations.length > 0; size >>= 1) {
  for (let at = 0; at < steps.length && runs < maxRuns; runs += 1) {
    const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
    const run = await runModel(seed, fewer);
    if (run.violations.length > 0) {
      [steps, violations] = [fewer, run.violations];
      process.send?.({ steps, violations });
    } else at += size;
  }
}
process.disconnect();
