import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Deployment, deploy, pollMs } from "./deployment.ts";
import { faults } from "./faults.ts";
import { runFault } from "./run-fault.ts";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy();
});
afterAll(async () => await deployment[Symbol.asyncDispose]());

it.each(faults)("under load, with keys changing all the time: $name", async (fault) => {
  const report = await runFault(deployment, fault);
  expect(report.resolves).toBeGreaterThan(100);
  expect(report.changes).toBeGreaterThan(5);
  expect(report.wrong).toEqual([]);
  expect(report.late).toBe(0);
  const expected = fault.mayFail ? ["deadline_exceeded", "store_unavailable"] : [];
  expect(Object.keys(report.failed).filter((code) => !expected.includes(code))).toEqual([]);
}, 60_000);

it("without Redis, a replaced key is handed out no longer than a poll and a second", async () => {
  await using without = await deploy(null);
  const report = await runFault(without, { name: "no Redis at all", mayFail: false, happen: () => pause(3_000) });
  expect([report.wrong, report.late, report.failed]).toEqual([[], 0, {}]);
  expect(report.resolves).toBeGreaterThan(100);
  expect(report.outdatedMs.most).toBeGreaterThan(0);
  expect(report.outdatedMs.most).toBeLessThan(pollMs + 1_000);
}, 60_000);
