import type { Moment } from "./moment.ts";

/** What became of a page of the change log. */
export type PageOutcome = "current" | "more" | "overtaken" | "behind" | "contradicted" | FlushReason;

/** When a page was asked for, and under which generation: one that was asked for before a flush says nothing. */
export interface PageRequest {
  readonly sentAt: Moment;
  readonly generation: number;
}

/** Why everything remembered was dropped. */
export type FlushReason = "other_incarnation" | "other_history";

/** Whether what came of a page drops everything that is remembered. */
export function isFlush(outcome: PageOutcome): outcome is FlushReason | "contradicted" {
  return outcome === "other_incarnation" || outcome === "other_history" || outcome === "contradicted";
}
