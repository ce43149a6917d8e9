import type { What } from "../model/happenings.ts";
import type { UnreachedFiles } from "./branches.ts";
import { type Counts, count } from "./counts.ts";

/** Seeds that stand side by side; one process plays them one after the other. */
export interface Batch {
  readonly first: number;
  readonly count: number;
  /** Whether the process plays no more behind it, and says which branches it has reached. */
  readonly isLast: boolean;
}

export interface Violation {
  readonly kind: "model" | "servers";
  readonly seed: number;
  readonly what: readonly string[];
}

/** What a batch has come to. */
export interface BatchReport {
  readonly schedules: number;
  readonly resolves: number;
  readonly steps: number;
  readonly seen: Counts;
  readonly faults: Counts;
  readonly pairs: Counts;
  readonly violations: readonly Violation[];
  /** Of a process's last batch, where it was asked to count branches. */
  readonly unreached: UnreachedFiles | undefined;
}

/** Seeds of one batch are of one kind of process. */
export const batchSize = 16;

/**
 * Every fourth batch runs in miniature: a worker knows the change ids of a few rows, not of 65,536, so that forgetting
 * them is within a schedule's reach.
 */
export const isMiniature = (seed: number): boolean => Math.floor(seed / batchSize) % 4 === 3;
export const miniature = {
  file: "store/change-log.ts",
  find: "maxWindowRows = 65_536",
  replace: "maxWindowRows = 6",
} as const;

/** A batch that is being played. */
export class Tally {
  readonly seen: Record<string, number> = {};
  readonly faults: Record<string, number> = {};
  readonly pairs: Record<string, number> = {};

  add(seen: ReadonlySet<string>, faults: ReadonlySet<What | string>): void {
    for (const state of seen) count(this.seen, state);
    const happened = [...faults].sort();
    for (const [at, fault] of happened.entries()) {
      count(this.faults, fault);
      for (const other of happened.slice(at + 1)) count(this.pairs, `${fault} + ${other}`);
    }
  }
}
