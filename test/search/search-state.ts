import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { intersect } from "./branches.ts";
import { type Counts, sum } from "./counts.ts";
import { type BatchReport, batchSize, type Violation } from "./model-batch.ts";
import type { ScheduleReport } from "./run-schedule.ts";

const counts = z.record(z.string(), z.number());
const seconds = z.number().nonnegative();
const whole = z.int().nonnegative();
const searched = { schedules: whole, resolves: whole, seconds, seen: counts, faults: counts, pairs: counts };

/** What a search has come to; small, however long it runs. */
const stateSchema = z.strictObject({
  version: z.literal(1),
  /** The seed that it began with. */
  seed: whole,
  /** The next seed of either kind that was not played. */
  next: z.strictObject({ model: whole, servers: whole }),
  model: z.strictObject({ ...searched, steps: whole }),
  servers: z.strictObject({ ...searched, healedMs: z.array(z.number()) }),
  unreached: z.record(
    z.string(),
    z.strictObject({ hash: z.string(), ranges: z.array(z.tuple([z.number(), z.number()])) }),
  ),
  violations: z.array(z.strictObject({ kind: z.enum(["model", "servers"]), seed: whole, what: z.array(z.string()) })),
});

export type SearchState = z.infer<typeof stateSchema>;

/** The newest violations that are kept. */
const maxViolations = 100;
/** The newest times to be served again that are kept for the median. */
const maxHealed = 1_000;
const nothing = { schedules: 0, resolves: 0, seconds: 0, seen: {}, faults: {}, pairs: {} };

/** The beginning of a search. Batches of the model begin at whole multiples of their size. */
export function beginState(seed: number): SearchState {
  return {
    version: 1,
    seed,
    next: { model: Math.ceil(seed / batchSize) * batchSize, servers: seed },
    model: { ...nothing, steps: 0 },
    servers: { ...nothing, healedMs: [] },
    unreached: {},
    violations: [],
  };
}

/** Replaces the file as a whole, so that a process that is killed leaves the one before. */
export function writeState(file: string, state: SearchState): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

export function readState(file: string): SearchState {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new Error(`There is no search to go on with in ${file}. Begin one without --resume.`);
  }
  const parsed = stateSchema.safeParse(toJson(text));
  if (!parsed.success) throw new Error(`${file} holds no search, or another version's. Begin one without --resume.`);
  return parsed.data;
}

/** Adds what a batch of the model has come to. */
export function addBatch(state: SearchState, report: BatchReport): void {
  addCounts(state.model, report);
  state.model.steps += report.steps;
  addViolations(state, report.violations);
  if (report.unreached !== undefined) {
    state.unreached = structuredClone(intersect(state.unreached, report.unreached)) as SearchState["unreached"];
  }
}

export function addSchedule(state: SearchState, seed: number, report: ScheduleReport): void {
  addCounts(state.servers, { schedules: 1, ...report });
  if (report.healedMs !== undefined) state.servers.healedMs.push(report.healedMs);
  state.servers.healedMs.splice(0, state.servers.healedMs.length - maxHealed);
  if (report.violations.length > 0) addViolations(state, [{ kind: "servers", seed, what: report.violations }]);
}

function addCounts(
  all: Omit<SearchState["model"], "steps">,
  more: { readonly schedules: number; readonly resolves: number } & Record<"seen" | "faults" | "pairs", Counts>,
): void {
  all.schedules += more.schedules;
  all.resolves += more.resolves;
  all.seen = sum(all.seen, more.seen);
  all.faults = sum(all.faults, more.faults);
  all.pairs = sum(all.pairs, more.pairs);
}

function addViolations(state: SearchState, violations: readonly Violation[]): void {
  for (const { kind, seed, what } of violations) state.violations.push({ kind, seed, what: what.slice(0, 10) });
  state.violations.splice(0, state.violations.length - maxViolations);
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
