import type { Moment } from "./moment.ts";

/** What became of a page of the change log. */
export type Learned = "current" | "more" | "overtaken" | "behind" | "contradicted" | FlushReason;

/** When a page was asked for, and under which generation: one that was asked for before a flush says nothing. */
export interface Asked {
  readonly sentAt: Moment;
  readonly generation: number;
}

/** Why everything remembered was dropped. */
export type FlushReason = "other_incarnation" | "other_history";

/** Whether what was learnt drops everything that is remembered. */
export function isFlush(learned: Learned): learned is FlushReason | "contradicted" {
  return learned === "other_incarnation" || learned === "other_history" || learned === "contradicted";
}
