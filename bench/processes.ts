import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./take-turns.ts";

const runs = 15;

/** Milliseconds that a process takes, and what it prints. */
function timed(
  arguments_: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { readonly ms: number; readonly printed: string } {
  const env = { ...process.env, ...environment };
  const startedAt = performance.now();
  const printed = execFileSync(process.execPath, arguments_, { encoding: "utf8", env });
  return { ms: performance.now() - startedAt, printed };
}

export interface ImportCost {
  readonly bareMs: number;
  readonly addedMs: number;
  /** Between the two processes that the machine disturbed least. */
  readonly leastMs: number;
}

/** What `import "byokit"` adds to a bare Node, as medians of processes that take turns. */
export function importCost(environment?: NodeJS.ProcessEnv): ImportCost {
  const evaluated = (text: string): number => timed(["--input-type=module", "--eval", text], environment).ms;
  const samples = Array.from({ length: runs }, () => ({
    bareMs: evaluated(""),
    importedMs: evaluated('await import("byokit")'),
  }));
  const bare = samples.map(({ bareMs }) => bareMs);
  return {
    bareMs: median(bare),
    addedMs: median(samples.map(({ importedMs, bareMs }) => importedMs - bareMs)),
    leastMs: Math.min(...samples.map(({ importedMs }) => importedMs)) - Math.min(...bare),
  };
}

/** {@link importCost} where Node keeps what it has compiled, which the first of the processes fills. */
export function importCostOfCompiled(): ImportCost {
  const folder = mkdtempSync(join(tmpdir(), "byokit-bench-"));
  try {
    return importCost({ NODE_COMPILE_CACHE: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
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
