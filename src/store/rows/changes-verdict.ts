import type { NotedUse, Verdict } from "../key-change.ts";

/** Whether what a call found out changes what is stored. A call that passes says nothing of a key's scopes. */
export function changesVerdict(stored: Verdict, found: NotedUse["verdict"]): boolean {
  return found === "passed" ? stored === "invalid" || stored === "exhausted" : stored !== found;
}
