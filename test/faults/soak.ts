/** Runs every fault again and again for as many minutes as it is told, and prints the table of the README. */
import { clusterRedis, sentinelRedis, singleRedis } from "../servers/redis-topology.ts";
import { deploy } from "./deployment.ts";
import { clusterFaults, faults, sentinelFaults } from "./faults.ts";
import { type FaultReport, runFault } from "./run-fault.ts";

const minutes = Number(process.argv[2] ?? 10);
const endsAt = Date.now() + minutes * 60_000;
const reports: FaultReport[] = [];

const deployments = [
  { start: sentinelRedis, some: sentinelFaults },
  { start: clusterRedis, some: clusterFaults },
  { start: singleRedis, some: faults },
] as const;
do {
  for (const { start, some } of deployments) {
    await using deployment = await deploy(start);
    for (const fault of some) reports.push(await runFault(deployment, fault));
  }
} while (Date.now() < endsAt);

const count = (of: (report: FaultReport) => number, some: readonly FaultReport[]): number =>
  some.reduce((sum, report) => sum + of(report), 0);
const rows = [...faults, ...sentinelFaults, ...clusterFaults].map(({ name }) => {
  const some = reports.filter(({ fault }) => fault === name);
  return {
    fault: name,
    resolves: count(({ resolves }) => resolves, some),
    changes: count(({ changes }) => changes, some),
    wrong: count(({ wrong }) => wrong.length, some),
    late: count(({ late }) => late, some),
    failed: count(({ failed }) => Object.values(failed).reduce((sum, times) => sum + times, 0), some),
    "p99 ms": Math.max(...some.map(({ outdatedMs }) => outdatedMs.p99)),
    "most ms": Math.max(...some.map(({ outdatedMs }) => outdatedMs.most)),
  };
});
process.stdout.write(`| ${Object.keys(rows[0] ?? {}).join(" | ")} |\n|---|---|---|---|---|---|---|---|\n`);
for (const row of rows) process.stdout.write(`| ${Object.values(row).join(" | ")} |\n`);
process.exitCode = rows.some(({ wrong, late }) => wrong + late > 0) ? 1 : 0;
