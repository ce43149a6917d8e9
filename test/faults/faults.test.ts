import { afterAll, beforeAll, expect, it } from "vitest";
import { type Deployment, deploy } from "./deployment.ts";
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
