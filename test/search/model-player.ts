import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Edit } from "./edit-on-load.ts";
import { type Batch, type BatchReport, isMiniature, miniature } from "./model-batch.ts";

/** Batches that a process plays before another takes its place, so that what it leaves behind is bounded. */
const batchesPerProcess = 160;
/** The longest that a batch may take; a schedule that never ends is a violation. */
const limitMs = 180_000;

interface Player {
  readonly process: ChildProcess;
  left: number;
}

/** Plays batches in processes of its own, one at a time. */
export class ModelPlayer {
  readonly #edits: readonly Edit[];
  readonly #countsBranches: boolean;
  readonly #players = new Map<boolean, Player>();

  /** `edits`: of the source, for this player alone. */
  constructor(edits: readonly Edit[], countsBranches: boolean) {
    this.#edits = edits;
    this.#countsBranches = countsBranches;
  }

  async play(batch: Omit<Batch, "isLast">): Promise<BatchReport> {
    const isSmall = isMiniature(batch.first);
    const player = this.#players.get(isSmall) ?? this.#start(isSmall);
    this.#players.set(isSmall, player);
    player.left -= 1;
    const report = await reportOf(player.process, { ...batch, isLast: player.left === 0 });
    if (player.left === 0 || player.process.exitCode !== null || player.process.signalCode !== null) {
      this.#players.delete(isSmall);
      end(player.process);
    }
    return report;
  }

  /** Ends its processes; what they say of branches then. */
  async close(): Promise<BatchReport[]> {
    const processes = [...this.#players.values()].map((player) => player.process);
    this.#players.clear();
    const reports = await Promise.all(processes.map((one) => reportOf(one, { first: 0, count: 0, isLast: true })));
    for (const one of processes) end(one);
    return reports;
  }

  #start(isSmall: boolean): Player {
    const edits = isSmall ? [...this.#edits, miniature] : this.#edits;
    const child = fork(join(import.meta.dirname, "model-process.ts"), this.#countsBranches ? ["branches"] : [], {
      execArgv: ["--max-old-space-size=512", "--import", join(import.meta.dirname, "edit-on-load.ts")],
      env: { ...process.env, BYOKIT_EDITS: JSON.stringify(edits) },
    });
    return { process: child, left: batchesPerProcess };
  }
}

function end(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

function reportOf(child: ChildProcess, batch: Batch): Promise<BatchReport> {
  return new Promise((resolve) => {
    const settle = (report: BatchReport): void => {
      clearTimeout(timer);
      child.removeAllListeners("message").removeAllListeners("exit");
      resolve(report);
    };
    const fail = (what: string): void =>
      settle({
        ...{ schedules: 0, resolves: 0, steps: 0, seen: {}, faults: {}, pairs: {}, unreached: undefined },
        violations: [{ kind: "model", seed: batch.first, what: [`${what}, in one of ${batch.count} schedules`] }],
      });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`a schedule did not end within ${limitMs} ms`);
    }, limitMs);
    child.once("message", (report) => settle(report as BatchReport));
    child.once("exit", (code, signal) => fail(`the process ended with ${signal ?? code}`));
    child.send(batch);
  });
}
