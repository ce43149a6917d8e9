import type { Step } from "../model/run-model.ts";
import { ownPostgresServer } from "../servers/postgres-server.ts";
import { ownRedisServer } from "../servers/redis-server.ts";
import { isMiniature, type Violation } from "./model-batch.ts";
import { playShortest } from "./play-shortest.ts";
import { runSchedule } from "./run-schedule.ts";
import { describeViolation } from "./search-report.ts";

const say = (lines: readonly string[]): void => void process.stdout.write(`${lines.join("\n")}\n`);

/** Plays one schedule again and prints what happened. Returns `true` if something was violated. */
export async function replay({ kind, seed }: Pick<Violation, "kind" | "seed">): Promise<boolean> {
  if (kind === "model") {
    const { steps, violations } = await playShortest(seed);
    say([...describeReplay({ kind, seed, what: violations }), ...(isMiniature(seed) ? ["  in miniature"] : [])]);
    if (steps.length > 0 && violations.length > 0)
      say([`  the steps that are enough, ${steps.length}:`, ...steps.map(describeStep)]);
    return violations.length > 0;
  }
  const postgres = await ownPostgresServer();
  const redis = await ownRedisServer();
  try {
    const { violations, happened } = await runSchedule({ databaseUrl: postgres.url, redisUrl: redis.url }, seed);
    say([...describeReplay({ kind, seed, what: violations }), ...happened.map((what) => `  ${what}`)]);
    return violations.length > 0;
  } finally {
    await redis.stop();
    await postgres.stop();
  }
}

const describeStep = ([what, n]: Step): string => `  ${what} ${n}`;

function describeReplay(violation: Violation): string[] {
  const lines = describeViolation(violation);
  return violation.what.length > 0 ? lines : ["nothing is violated", ...lines.slice(1)];
}
