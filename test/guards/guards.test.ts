import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { allGuards } from "./all-guards.ts";
import type { Guard } from "./guard.ts";
import type { Verdict } from "./verdict.ts";

const root = resolve(import.meta.dirname, "../..");
const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
/** Twice as many as there are processors: most of them wait for a time-out most of the time. */
const turns = Array.from({ length: 2 * availableParallelism() }, () => Promise.resolve());
let next = 0;
/** Of a loop that never ends without its guard: the others would wait behind it for ever. */
const longestRunMs = 240_000;

/** Runs the guard's tests without the guard, and tells what they said. */
const runWithout = (guard: Guard): Promise<string> => {
  const turn = next++ % turns.length;
  const run = (turns[turn] ?? Promise.resolve()).then(() => report(guard));
  turns[turn] = run.then(() => {});
  return run;
};

async function report(guard: Guard): Promise<string> {
  const arguments_ = [vitest, "run", "--config", resolve(import.meta.dirname, "without-guard.config.ts")];
  const servers = { POSTGRES_URL: inject("postgresUrl"), REDIS_URL: inject("redisUrl") };
  // Compiling the test runner anew would take a quarter of each run.
  const cache = { NODE_COMPILE_CACHE: resolve(root, "node_modules/.cache/guards") };
  const env = { ...process.env, ...servers, ...cache, VITEST: "", BYOKIT_GUARD: JSON.stringify(guard) };
  const [stdout, stderr] = await new Promise<[string, string]>((done) => {
    const limits = { timeout: longestRunMs, killSignal: "SIGKILL" } as const;
    execFile(process.execPath, arguments_, { cwd: root, env, ...limits }, (_error, ...printed) => done(printed));
  });
  const line = stdout.split("\n").find((text) => text.startsWith('{"failed"'));
  if (line === undefined) return `the run ended without a verdict: ${stdout}${stderr}`;
  return judge(JSON.parse(line) as Verdict);
}

/** Every test that the guard names must fail: one that fails beside others that pass may fail for another reason. */
function judge({ failed, passed, broken }: Verdict): string {
  if (passed.length > 0) return `these pass without the guard: ${passed.join("; ")}`;
  // What a test without its guard leaves behind may make the file's clean-up fail too.
  if (failed.length > 0) return "its tests fail";
  return broken.length > 0 ? `a file does not load: ${broken.join(" ")}` : "no test has its name";
}

/** Every guard; with BYOKIT_GUARDS_TURN, a number, every fourth: which one goes round with it. */
const turn = process.env["BYOKIT_GUARDS_TURN"];
const isTaken = (_guard: Guard, at: number): boolean => turn === undefined || at % 4 === Number(turn) % 4;

describe.each(allGuards)("a guard of %s that is taken out is noticed:", (_rooms, guards) => {
  it.concurrent.each(guards.filter(isTaken))("$name ($file)", async (guard) => {
    expect(await runWithout(guard)).toBe("its tests fail");
  });
});
