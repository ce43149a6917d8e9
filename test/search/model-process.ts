/** A process of the model: plays the batches that its parent sends, and says what each has come to. */
import { BranchCounter } from "./branches.ts";
import { type Batch, type BatchReport, Tally, type Violation } from "./model-batch.ts";

const counter = process.argv[2] === "branches" ? new BranchCounter() : undefined;
await counter?.begin();
const { becomeModel, runModel } = await import("../model/run-model.ts");
await becomeModel();
/** What went wrong where no call was waiting for it. */
const stray: string[] = [];

async function play({ first, count, isLast }: Batch): Promise<BatchReport> {
  const tally = new Tally();
  const violations: Violation[] = [];
  let [schedules, resolves, steps] = [0, 0, 0];
  for (let seed = first; seed < first + count && violations.length === 0; seed += 1) {
    const run = await runModel(seed);
    // A turn of the event loop, in which a process hears of what was rejected and not caught.
    await new Promise((resolve) => setImmediate(resolve));
    schedules += 1;
    resolves += run.resolves;
    steps += run.steps;
    tally.add(run.seen, run.faults);
    const what = [...run.violations, ...stray.splice(0)];
    if (what.length > 0) violations.push({ kind: "model", seed, what });
  }
  const unreached = isLast ? await counter?.end() : undefined;
  const { seen, faults, pairs } = tally;
  return { schedules, resolves, steps, seen, faults, pairs, violations, unreached };
}

process.on("unhandledRejection", (error) => stray.push(`rejected and not caught: ${String(error)}`));
process.on("uncaughtException", (error) => stray.push(`thrown and not caught: ${String(error)}`));
// Who ends a search ends it with its parent, which waits for this batch.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());
process.on("message", async (batch: Batch) => process.send?.(await play(batch)));
