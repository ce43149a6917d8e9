import type { Verdict } from "../key-store.ts";

/** When the check before a key was stored counts as its provider's answer; `null`: its provider has said nothing. */
export function toCheckedAt(verdict: Verdict, nowMs: number): number | null {
  return verdict === "passed" || verdict === "restricted" ? nowMs : null;
}
