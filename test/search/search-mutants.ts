/**
 * Puts every fault back that an invariant of docs/coherence.md excludes, one at a time, and plays the model until it is
 * found. The tree stays as it is: a file is edited as it is loaded.
 *
 *   npm run search:mutants                              every mutant, ten minutes each at most
 *   npm run search:mutants -- --seconds 60 --only I3    those whose name or invariant matches
 *
 * Also: --cores 2, --seed 7.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { batchSize, isMiniature } from "./model-batch.ts";
import { ModelPlayer } from "./model-player.ts";
import { type Mutant, mutants, unseen } from "./mutants.ts";
import { onInterruption } from "./on-interruption.ts";
import { playShortest } from "./play-shortest.ts";

interface Found {
  readonly schedules: number;
  readonly seconds: number;
  readonly seed: number | undefined;
  readonly what: string;
}

const text = { type: "string" } as const;
const { values } = parseArgs({ options: { seconds: text, only: text, cores: text, seed: text } });
const limitMs = 1_000 * Number(values.seconds ?? 600);
const cores = Number(values.cores ?? availableParallelism());
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(limitMs > 0 && cores >= 1 && Number.isSafeInteger(seed)))
  throw new Error("Use --seconds and --cores with a number, and --seed with a whole one.");
const only = new RegExp(values.only ?? "", "u");
const chosen = mutants.filter(({ invariant, name }) => only.test(`${invariant} ${name}`));

process.stdout.write(`seed ${seed}, ${chosen.length} mutants\n`);
process.stdout.write(
  "| invariant | mutant | schedules | seconds | seed | what was violated |\n|---|---|---|---|---|---|\n",
);
onInterruption();
const missed: string[] = [];
const waiting = [...chosen];
await Promise.all(Array.from({ length: cores }, searchNext));
for (const { invariant, name, why } of unseen) {
  if (only.test(`${invariant} ${name}`))
    process.stdout.write(`| ${invariant} | ${name} | not played: ${why} | | | |\n`);
}
process.stdout.write(`${chosen.length - missed.length} of ${chosen.length} found\n`);
process.exitCode = missed.length > 0 ? 1 : 0;

async function searchNext(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { schedules, seconds, seed: found, what } = await search(mutant);
    if (found === undefined) missed.push(mutant.name);
    const end = found === undefined ? "NOT FOUND |" : `${found} | ${what}`;
    const { invariant, name } = mutant;
    process.stdout.write(`| ${invariant} | ${name} | ${schedules} | ${Math.round(seconds)} | ${end} |\n`);
  }
}

async function search({ edits, needsForgetting }: Mutant): Promise<Found> {
  const player = new ModelPlayer(edits, false);
  const since = performance.now();
  const seconds = (): number => (performance.now() - since) / 1_000;
  let schedules = 0;
  try {
    for (let first = Math.ceil(seed / batchSize) * batchSize; performance.now() - since < limitMs; first += batchSize) {
      if (needsForgetting && !isMiniature(first)) continue;
      const report = await player.play({ first, count: batchSize });
      schedules += report.schedules;
      const [violation] = report.violations;
      // What is violated without the mutant as well is no proof.
      if (violation !== undefined && (await playShortest(violation.seed)).violations.length === 0) {
        const what = violation.what[0]?.replaceAll("|", "/").slice(0, 80) ?? "";
        return { schedules, seconds: seconds(), seed: violation.seed, what };
      }
    }
    return { schedules, seconds: seconds(), seed: undefined, what: "" };
  } finally {
    await player.close();
  }
}
