/** Runs every fault again and again for as many minutes as it is told, and prints the table of docs/faults.md. */
import { setTimeout as pause } from "node:timers/promises";
import { postgresWithStandby } from "../servers/postgres-topology.ts";
import { clusterRedis, sentinelRedis } from "../servers/redis-topology.ts";
import { deploy } from "./deployment.ts";
import { clusterFaults, type Fault, faults, sentinelFaults, steady } from "./faults.ts";
import { promotion } from "./promotion.ts";
import { type FaultReport, percentile, runFault } from "./run-fault.ts";

const minutes = Number(process.argv[2] ?? 10);
const endsAt = Date.now() + minutes * 60_000;
const reports: FaultReport[] = [];
const withoutRedis: Fault = { name: "no Redis at all", mayFail: false, happen: () => pause(6_000) };

const deployments = [
  { topologies: { redis: sentinelRedis }, some: sentinelFaults },
  { topologies: { redis: clusterRedis }, some: clusterFaults },
  { topologies: { postgres: postgresWithStandby }, some: [promotion] },
  { topologies: { redis: null }, some: [withoutRedis] },
  { topologies: {}, some: [steady, ...faults] },
] as const;
do {
  for (const { topologies, some } of deployments) {
    await using deployment = await deploy(topologies);
    for (const fault of some) reports.push(await runFault(deployment, fault));
  }
} while (Date.now() < endsAt);

const sum = (some: readonly number[]): number => some.reduce((total, one) => total + one, 0);
const rows = [steady, ...faults, promotion, ...sentinelFaults, ...clusterFaults, withoutRedis].map(({ name }) => {
  const some = reports.filter(({ fault }) => fault === name);
  const stoppedMs = some.flatMap((report) => report.stoppedMs).sort((a, b) => a - b);
  const failed = new Map<string, number>();
  for (const [code, times] of some.flatMap((report) => Object.entries(report.failed))) {
    failed.set(code, (failed.get(code) ?? 0) + times);
  }
  return {
    fault: name,
    resolves: sum(some.map(({ resolves }) => resolves)).toLocaleString("en"),
    changes: sum(some.map(({ changes }) => changes)).toLocaleString("en"),
    wrong: sum(some.map(({ wrong }) => wrong.length)),
    late: sum(some.map(({ late }) => late)),
    failed: [...failed].map(([code, times]) => `${times.toLocaleString("en")} \`${code}\``).join(", ") || "0",
    "all workers stopped, p99": `${Math.ceil(percentile(stoppedMs, 0.99))} ms`,
    "oldest key handed out": `${Math.ceil(Math.max(...some.map(({ outdatedMs }) => outdatedMs)))} ms`,
  };
});
const columns = Object.keys(rows[0] ?? {});
process.stdout.write(`| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}\n`);
for (const row of rows) process.stdout.write(`| ${Object.values(row).join(" | ")} |\n`);
for (const { fault, wrong } of reports) for (const what of wrong) process.stdout.write(`wrong: ${fault}: ${what}\n`);
process.exitCode = rows.some(({ wrong, late }) => wrong + late > 0) ? 1 : 0;
