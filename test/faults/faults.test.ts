import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { postgresWithStandby } from "../servers/postgres-topology.ts";
import { type Deployment, deploy } from "./deployment.ts";
import { type Fault, faults, steady } from "./faults.ts";
import { promotion } from "./promotion.ts";
import { type FaultReport, percentile, runFault } from "./run-fault.ts";

let deployment: Deployment;

const expectPromises = (report: FaultReport, fault: Fault): void => {
  expect(report.resolves).toBeGreaterThan(0);
  expect(report.changes).toBeGreaterThan(0);
  expect(report.wrong).toEqual([]);
  expect(report.late).toBe(0);
  const expected = fault.mayFail ? ["deadline_exceeded", "store_unavailable"] : [];
  expect(Object.keys(report.failed).filter((code) => !expected.includes(code))).toEqual([]);
};

beforeAll(async () => {
  deployment = await deploy();
});
afterAll(async () => await deployment[Symbol.asyncDispose]());

it.each(faults)("under load, with keys changing all the time: $name", async (fault) => {
  expectPromises(await runFault(deployment, fault), fault);
}, 60_000);

it("with Redis and no fault, every worker stops handing out an ended key within its lease", async () => {
  expectPromises(await runFault(deployment, steady), steady);
}, 60_000);

it("without Redis, a worker goes on with an ended key until its next poll, and never past its lease", async () => {
  await using without = await deploy({ redis: null });
  const fault = { name: "no Redis at all", mayFail: false, happen: () => pause(3_000) };
  const report = await runFault(without, fault);
  expectPromises(report, fault);
  expect(percentile(report.stoppedMs, 1)).toBeGreaterThan(0);
}, 60_000);

it("what Redis holds of a history that was lost with the primary is never used, by old workers or new", async () => {
  await using losing = await deploy({ postgres: postgresWithStandby });
  expectPromises(await runFault(losing, promotion), promotion);
  const [first, second, joined] = losing.workers.map(({ events }) => events);
  for (const old of [first, second]) expect(old?.["flushed: other_incarnation"]).toBe(1);
  const refused = "entry_refused: other_history";
  // One of the two replaces what it is refused, perhaps before the other comes to it.
  expect((first?.[refused] ?? 0) + (second?.[refused] ?? 0)).toBeGreaterThan(0);
  expect(joined?.[refused]).toBeGreaterThan(0);
}, 60_000);
