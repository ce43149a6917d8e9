import { setTimeout as pause } from "node:timers/promises";
import type { Call, Outcome } from "./calls.ts";
import { type Deployment, leaseMs } from "./deployment.ts";
import type { Fault } from "./faults.ts";
import type { Truth } from "./truth.ts";

export interface FaultReport {
  readonly fault: string;
  readonly resolves: number;
  readonly changes: number;
  /**
   * Another organisation's key, one that had ended longer ago than the lease when it was handed out, or one of a history
   * that the worker knew was lost.
   */
  readonly wrong: readonly string[];
  /** Calls that were not answered by their deadline. */
  readonly late: number;
  readonly failed: Readonly<Record<string, number>>;
  /** How long a key was handed out after it had ended, at most. */
  readonly outdatedMs: number;
  /** Per change and worker, sorted: from when the change was asked for until the worker stopped handing out what it ended. */
  readonly stoppedMs: readonly number[];
}

/** Between two changes. Notices lead to ten polls a second at most: more changes than that wait for their poll. */
const betweenChangesMs = 40;

/** Of sorted values; NaN where there is none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Changes keys all the time, lets the fault happen, and judges what the workers were handed out. */
export async function runFault(deployment: Deployment, fault: Fault): Promise<FaultReport> {
  const { workers } = deployment;
  for (const worker of workers) worker.takeOutcomes();
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
      await pause(fault.betweenChangesMs ?? betweenChangesMs);
    }
  })();
  await pause(500);
  await fault.happen(deployment);
  await pause(500);
  isOver = true;
  await changing;
  const unanswered = await Promise.all(workers.map((worker) => worker.unanswered()));
  const judged = workers.map((worker, at) =>
    judge({ ...deployment, leaseMs }, worker.takeOutcomes(), unanswered[at] ?? []),
  );
  const failed: Record<string, number> = {};
  for (const [code, times] of judged.flatMap((one) => Object.entries(one.failed))) {
    failed[code] = (failed[code] ?? 0) + times;
  }
  const stopped = judged.flatMap(({ stoppedMs }) => [...stoppedMs.values()]);
  const atOnce = Math.max(0, changes * workers.length - stopped.length);
  return {
    fault: fault.name,
    resolves: judged.reduce((sum, { resolves }) => sum + resolves, 0),
    changes,
    wrong: judged.flatMap(({ wrong }) => wrong),
    late: judged.reduce((sum, { late }) => sum + late, 0),
    failed,
    outdatedMs: Math.max(...judged.map(({ outdatedMs }) => outdatedMs)),
    stoppedMs: [...Array.from({ length: atOnce }, () => 0), ...stopped].sort((a, b) => a - b),
  };
}

/** What a worker's calls were handed out, against what was true. */
export function judge(
  { truth, leaseMs }: { readonly truth: Truth; readonly leaseMs: number },
  outcomes: readonly Outcome[],
  unanswered: readonly Call[],
) {
  const wrong: string[] = [];
  const failed: Record<string, number> = {};
  const stoppedMs = new Map<number, number>();
  let late = unanswered.length;
  let most = 0;
  for (const outcome of outcomes) {
    if (outcome.isLate) late += 1;
    if (outcome.failed !== undefined) {
      failed[outcome.failed] = (failed[outcome.failed] ?? 0) + 1;
      continue;
    }
    const verdict = truth.verdict(outcome);
    if (verdict === undefined) {
      wrong.push(`${outcome.orgId} got ${outcome.value}`);
      continue;
    }
    const { outdatedMs, endAskedAtMs } = verdict;
    const isKnownAbsence = outcome.value === "platform" && outcome.stale && Number.isFinite(outdatedMs);
    if (outdatedMs > leaseMs && !isKnownAbsence) wrong.push(`${outcome.value} ${outdatedMs} ms after its end`);
    if (!isKnownAbsence) most = Math.max(most, outdatedMs);
    if (endAskedAtMs === undefined) continue;
    stoppedMs.set(endAskedAtMs, Math.max(stoppedMs.get(endAskedAtMs) ?? 0, outcome.handedOutAt - endAskedAtMs));
  }
  return { resolves: outcomes.length + unanswered.length, wrong, failed, late, outdatedMs: most, stoppedMs };
}
