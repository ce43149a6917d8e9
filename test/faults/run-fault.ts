import { setTimeout as pause } from "node:timers/promises";
import { type Deployment, leaseMs, type Outcome } from "./deployment.ts";
import type { Fault } from "./faults.ts";

export interface FaultReport {
  readonly fault: string;
  readonly resolves: number;
  /** Another organisation's key, or one that had ended longer than the lease before the call began. */
  readonly wrong: readonly string[];
  /** Calls that did not end within a second of their deadline, not counting those of a process that stood still. */
  readonly late: number;
  readonly failed: Readonly<Record<string, number>>;
  /** How long after a change an older key was still handed out: the 99th percentile of what was outdated, and the most. */
  readonly outdatedMs: { readonly p99: number; readonly most: number };
  readonly changes: number;
}

const betweenChangesMs = 40;
/** Clocks of processes on one machine, and a change that stands before its answer is back. */
const slackMs = 250;

/** Changes keys all the time, lets the fault happen, and counts what the workers were handed out. */
export async function runFault(deployment: Deployment, fault: Fault): Promise<FaultReport> {
  deployment.takeOutcomes();
  let isOver = false;
  let changes = 0;
  const changing = (async () => {
    while (!isOver) {
      await deployment.change().then(
        () => {
          changes += 1;
        },
        () => {},
      );
      await pause(betweenChangesMs);
    }
  })();
  await pause(500);
  await fault.happen(deployment);
  await pause(500);
  isOver = true;
  await changing;
  await pause(200);
  return { fault: fault.name, changes, ...judged(deployment, deployment.takeOutcomes(), fault) };
}

function judged(
  { truth }: Deployment,
  outcomes: readonly Outcome[],
  { name }: Fault,
): Omit<FaultReport, "fault" | "changes"> {
  const wrong: string[] = [];
  const failed: Record<string, number> = {};
  const outdated: number[] = [];
  const isStill = name.includes("worker: SIGSTOP");
  let late = 0;
  for (const outcome of outcomes) {
    if (!isStill && outcome.endedAt - outcome.startedAt > 2_000) late += 1;
    if (outcome.failed !== undefined) {
      failed[outcome.failed] = (failed[outcome.failed] ?? 0) + 1;
      continue;
    }
    const ms = truth.outdatedMs(outcome);
    const isKnownAbsence = outcome.value === "platform" && outcome.stale;
    if (ms === undefined) wrong.push(`${outcome.orgId} got ${outcome.value}`);
    else if (ms > leaseMs + slackMs && !isKnownAbsence) wrong.push(`${outcome.value} ${ms} ms after its end`);
    if (ms !== undefined && ms > 0) outdated.push(ms);
  }
  outdated.sort((a, b) => a - b);
  return {
    resolves: outcomes.length,
    wrong,
    late,
    failed,
    outdatedMs: { p99: outdated[Math.floor(outdated.length * 0.99)] ?? 0, most: outdated.at(-1) ?? 0 },
  };
}
