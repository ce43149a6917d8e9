import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Violation } from "./model-batch.ts";

export interface SearchOptions {
  readonly seconds: number;
  readonly seed: number;
  /** The share of the time that real servers are searched; the model is played in the rest. */
  readonly share: number;
  readonly cores: number;
  /** Where it notes how far it has come; `undefined`: nowhere. */
  readonly stateFile: string | undefined;
  readonly isResumed: boolean;
  /** The one schedule to play once more; `undefined`: a search. */
  readonly replay: Pick<Violation, "kind" | "seed"> | undefined;
}

/** Of a search by `--hours`: one of minutes leaves a night's alone. */
const stateOfNights = resolve(import.meta.dirname, "../../node_modules/.cache/search/state.json");

/** `--minutes` searches real servers alone, unless `--share` says otherwise; `--hours` mostly plays the model. */
export function readSearchOptions(args: readonly string[]): SearchOptions {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ minutes: text, hours: text, seed: text, share: text, cores: text, state: text, replay: text },
      resume: { type: "boolean", default: false },
    },
  });
  const { minutes, hours, resume } = values;
  const share = Number(values.share ?? (hours === undefined ? 1 : 0.1));
  const seconds = hours === undefined ? 60 * Number(minutes ?? 10) : 3_600 * Number(hours);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const cores = Number(values.cores ?? availableParallelism());
  if (!(seconds > 0)) throw new Error("Use --minutes or --hours with a number.");
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error("Use --seed with a whole number.");
  if (!(share >= 0 && share <= 1)) throw new Error("Use --share with a number from 0 to 1.");
  if (!Number.isSafeInteger(cores) || cores < 1) throw new Error("Use --cores with a whole number.");
  if (resume && values.seed !== undefined) throw new Error("A search that is resumed has its seed. Leave --seed out.");
  const noted = hours !== undefined || resume ? stateOfNights : undefined;
  const stateFile = values.state === undefined ? noted : resolve(values.state);
  return { seconds, seed, share, cores, stateFile, isResumed: resume, replay: readReplay(values.replay) };
}

function readReplay(text: string | undefined): SearchOptions["replay"] {
  if (text === undefined) return undefined;
  const { kind, seed } = /^(?<kind>model|servers):(?<seed>\d+)$/u.exec(text)?.groups ?? {};
  if (kind === undefined) throw new Error("Use --replay as a violation says, such as --replay model:123.");
  return { kind: kind as Violation["kind"], seed: Number(seed) };
}
