import type { Verdict } from "../key-change.ts";

/** When the check before a key was stored counts as its provider's answer; `null`: its provider has said nothing. */
export function toCheckedAt(verdict: Verdict, nowMs: number): number | null {
  return verdict === "passed" || verdict === "restricted" ? nowMs : null;
}
