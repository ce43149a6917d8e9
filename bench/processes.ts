import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { median } from "./take-turns.ts";

const runs = 15;

/** Milliseconds that a process takes, and what it prints. */
function timed(arguments_: readonly string[]): { readonly ms: number; readonly printed: string } {
  const startedAt = performance.now();
  const printed = execFileSync(process.execPath, arguments_, { encoding: "utf8" });
  return { ms: performance.now() - startedAt, printed };
}

/** What `import "byokit"` adds to a bare Node, as medians of processes that take turns. */
export function importCost(): { readonly bareMs: number; readonly addedMs: number } {
  const samples = Array.from({ length: runs }, () => {
    const bareMs = timed(["--input-type=module", "--eval", ""]).ms;
    return { bareMs, addedMs: timed(["--input-type=module", "--eval", 'await import("byokit")']).ms - bareMs };
  });
  return {
    bareMs: median(samples.map(({ bareMs }) => bareMs)),
    addedMs: median(samples.map(({ addedMs }) => addedMs)),
  };
}

/** What a worker's first call sees in a new process, after `ready()` and without it. */
export interface FirstCall {
  readonly isReady: boolean;
  readonly readyMs: number;
  readonly resolveMs: number;
  readonly blockedMs: number;
  readonly outcome: string;
}

export function firstCall(isReady: boolean): FirstCall {
  const samples = Array.from({ length: 5 }, () => {
    const { printed } = timed([join(import.meta.dirname, "first-call.ts"), isReady ? "ready" : "cold"]);
    return JSON.parse(printed) as FirstCall;
  });
  const [first] = samples;
  const of = (value: (sample: FirstCall) => number): number => median(samples.map(value));
  return {
    isReady,
    readyMs: of(({ readyMs }) => readyMs),
    resolveMs: of(({ resolveMs }) => resolveMs),
    blockedMs: of(({ blockedMs }) => blockedMs),
    outcome: first?.outcome ?? "",
  };
}
