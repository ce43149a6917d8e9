import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, inject, it } from "vitest";
import type { Guard } from "./guard.ts";
import { guardsOfProviders } from "./guards-of-providers.ts";
import { guardsOfRedis } from "./guards-of-redis.ts";
import { guardsOfTheApi } from "./guards-of-the-api.ts";
import { guardsOfTheCache } from "./guards-of-the-cache.ts";
import { guardsOfTheCommandLine } from "./guards-of-the-command-line.ts";
import { guardsOfTheModel } from "./guards-of-the-model.ts";
import { guardsOfTheResolver } from "./guards-of-the-resolver.ts";
import { guardsOfTheVault } from "./guards-of-the-vault.ts";

const root = resolve(import.meta.dirname, "../..");
const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
/** Twice as many as there are processors: most of them wait for a time-out most of the time. */
const turns = Array.from({ length: 2 * availableParallelism() }, () => Promise.resolve());
let next = 0;

/** Runs the guard's tests without the guard and tells what they said. */
const withoutGuard = (guard: Guard): Promise<string> => {
  const turn = next++ % turns.length;
  const run = (turns[turn] ?? Promise.resolve()).then(() => report(guard));
  turns[turn] = run.then(() => {});
  return run;
};

async function report(guard: Guard): Promise<string> {
  const arguments_ = [vitest, "run", "--config", resolve(import.meta.dirname, "vitest.config.ts")];
  const servers = { POSTGRES_URL: inject("postgresUrl"), REDIS_URL: inject("redisUrl") };
  const env = { ...process.env, ...servers, VITEST: "", BYOKIT_GUARD: JSON.stringify(guard) };
  const [stdout, stderr] = await new Promise<[string, string]>((done) => {
    execFile(process.execPath, arguments_, { cwd: root, env }, (_error, ...printed) => done(printed));
  });
  const line = stdout.split("\n").find((text) => text.startsWith('{"states"'));
  if (line === undefined) return `the run ended without a verdict: ${stdout}${stderr}`;
  const { states, unhandled, broken } = JSON.parse(line) as Verdict;
  if (states.includes("failed") || unhandled.length > 0) return "a test fails";
  if (states.includes("passed")) return "no test notices";
  return `no test ran: ${broken.join(" ")}`;
}

interface Verdict {
  readonly states: readonly string[];
  /** Errors that no test caught, which fail a run as well. */
  readonly unhandled: readonly string[];
  /** Errors of files that could not be loaded, which prove nothing. */
  readonly broken: readonly string[];
}

describe.each([
  ["providers", guardsOfProviders],
  ["the vault", guardsOfTheVault],
  ["the cache", guardsOfTheCache],
  ["the resolver and the manager", guardsOfTheResolver],
  ["the model check", guardsOfTheModel],
  ["Redis", guardsOfRedis],
  ["the API", guardsOfTheApi],
  ["the command line", guardsOfTheCommandLine],
] as const)("a guard of %s that is taken out is noticed:", (_room, guards) => {
  it.concurrent.each(guards)("$name ($file)", async (guard) => {
    expect(await withoutGuard(guard)).toBe("a test fails");
  }, 600_000);
});
