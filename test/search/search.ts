/**
 * Searches real servers for what the model check cannot see: random faults on every link, random distances, sizes and
 * clocks, and after them everything must be served again.
 *
 *   npm run search -- --minutes 10              a fresh seed, which is printed
 *   npm run search -- --minutes 1 --seed 7      the same schedules again, as far as real time allows
 */
import { parseArgs } from "node:util";
import { ownPostgresServer } from "../servers/postgres-server.ts";
import { ownRedisServer } from "../servers/redis-server.ts";
import { runSchedule } from "./run-schedule.ts";
import { SeededRandom } from "./seeded-random.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } } });
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed))
  throw new Error("Use --minutes with a number, and --seed with a whole one.");
const endsAt = Date.now() + minutes * 60_000;
const random = new SeededRandom(seed);
const postgres = await ownPostgresServer();
const redis = await ownRedisServer();
const healedMs: number[] = [];
const violations: string[] = [];
const seen = new Map<string, number>();
let [schedules, resolves] = [0, 0];
process.stdout.write(`seed ${seed}\n`);
try {
  do {
    schedules += 1;
    const result = await runSchedule({ databaseUrl: postgres.url, redisUrl: redis.url }, random);
    resolves += result.resolves;
    healedMs.push(result.healedMs);
    for (const [name, times] of result.seen) seen.set(name, (seen.get(name) ?? 0) + times);
    for (const what of result.violations) violations.push(`schedule ${schedules} (${result.name}): ${what}`);
  } while (Date.now() < endsAt && violations.length === 0);
} finally {
  await redis.stop();
  await postgres.stop();
}
healedMs.sort((a, b) => a - b);
process.stdout.write(
  `${schedules} schedules, ${resolves.toLocaleString("en")} calls, ${violations.length} violations\n`,
);
process.stdout.write(`served again after ${Math.round(healedMs[healedMs.length >> 1] ?? 0)} ms (median), `);
process.stdout.write(`${Math.round(healedMs.at(-1) ?? 0)} ms at most\n`);
process.stdout.write(`seen: ${[...seen.keys()].sort().join(", ")}\n`);
for (const what of violations) process.stdout.write(`${what}\n`);
process.exitCode = violations.length > 0 ? 1 : 0;
