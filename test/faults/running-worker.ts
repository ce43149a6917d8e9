import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { KeyringJson } from "../../src/index.ts";
import type { RedisAddress } from "../servers/redis-topology.ts";
import { type Call, nowMs, type Outcome, type Report } from "./calls.ts";

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly redis: RedisAddress | null;
  readonly prefix: string;
  readonly keyring: KeyringJson;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly deadlineMs: number;
}

/** Longer than any call may take, and any process stands still. */
const patienceMs = 10_000;

/** A worker in a process of its own, as its parent sees it. */
export class RunningWorker implements AsyncDisposable {
  readonly process: ChildProcess;
  #outcomes: Outcome[] = [];
  #report: Report = { sentAt: 0, open: [], outcomes: [], events: {} };

  constructor(options: WorkerOptions) {
    const program = join(import.meta.dirname, "worker-process.ts");
    this.process = fork(program, [JSON.stringify(options)], { execArgv: [] });
    this.process.on("message", (report: Report) => {
      this.#report = report;
      this.#outcomes.push(...report.outcomes);
    });
  }

  /** How often each event has come, since the worker began. */
  get events(): Report["events"] {
    return this.#report.events;
  }

  /** Goes on to call these organisations and no others. */
  call(orgIds: readonly string[]): void {
    this.process.send(orgIds);
  }

  /** Ends when a report has come that says so. Fails when the worker reports no more. */
  async reports(says: (report: Report) => boolean): Promise<void> {
    const endsAt = nowMs() + patienceMs;
    while (!says(this.#report)) {
      if (nowMs() > endsAt) throw new Error("A worker did not come to what was waited for.");
      await once(this.process, "message", { signal: AbortSignal.timeout(patienceMs) });
    }
  }

  /** Waits for the calls that have begun by now, longer than any may take; those that are not answered then. */
  async unanswered(): Promise<readonly Call[]> {
    const begunBy = nowMs();
    const begun = ({ open }: Report): Call[] => open.filter(({ startedAt }) => startedAt <= begunBy);
    const waitedLong = ({ sentAt }: Report): boolean => sentAt > begunBy + patienceMs / 2;
    await this.reports((report) => report.sentAt > begunBy && (begun(report).length === 0 || waitedLong(report)));
    return begun(this.#report);
  }

  /** What the worker was handed out since this was last asked for. */
  takeOutcomes(): readonly Outcome[] {
    return this.#outcomes.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGCONT");
    if (this.process.connected) this.process.disconnect();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
  }
}
