import type { ChildProcess } from "node:child_process";
import type { Edit } from "./edit-on-load.ts";
import { forkEdited } from "./fork-edited.ts";
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
    const known = this.#players.get(isSmall);
    const player = known !== undefined && isRunning(known.process) ? known : this.#start(isSmall);
    this.#players.set(isSmall, player);
    player.left -= 1;
    const answer = await ask(player.process, { ...batch, isLast: player.left === 0 });
    if (player.left === 0 || "failure" in answer) {
      this.#players.delete(isSmall);
      end(player.process);
    }
    return "failure" in answer ? describeFailure(batch, answer) : answer;
  }

  /** Ends its processes; what they say of branches then. Of those that have ended already there is nothing to say. */
  async close(): Promise<BatchReport[]> {
    const processes = [...this.#players.values()].map((player) => player.process);
    this.#players.clear();
    const answers = await Promise.all(processes.map((one) => ask(one, { first: 0, count: 0, isLast: true })));
    for (const one of processes) end(one);
    return answers.filter((answer): answer is BatchReport => !("failure" in answer));
  }

  #start(isSmall: boolean): Player {
    const edits = isSmall ? [...this.#edits, miniature] : this.#edits;
    const args = this.#countsBranches ? ["branches"] : [];
    const child = forkEdited("model-process.ts", args, edits, ["--max-old-space-size=512"]);
    // What is sent to a process that has ended meanwhile is answered by its end.
    child.on("error", () => {});
    return { process: child, left: batchesPerProcess };
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.connected && child.exitCode === null && child.signalCode === null;

function end(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

interface Failure {
  readonly failure: string;
}

/** A process that fails to answer is killed. */
function ask(child: ChildProcess, batch: Batch): Promise<BatchReport | Failure> {
  return new Promise((resolve) => {
    const settle = (answer: BatchReport | Failure): void => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      resolve(answer);
    };
    const fail = (failure: string): void => {
      child.kill("SIGKILL");
      settle({ failure });
    };
    const onMessage = (report: unknown): void => settle(report as BatchReport);
    const onExit = (code: number | null, signal: string | null): void =>
      fail(`the process ended with ${signal ?? code}`);
    const onError = (error: Error): void => fail(`the process was not reached: ${error.message}`);
    const timer = setTimeout(() => fail(`a schedule did not end within ${limitMs} ms`), limitMs);
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    if (isRunning(child)) child.send(batch);
    else fail("the process had ended");
  });
}

function describeFailure({ first, count }: Omit<Batch, "isLast">, { failure }: Failure): BatchReport {
  return {
    ...{ schedules: 0, resolves: 0, steps: 0, seen: {}, faults: {}, pairs: {}, unreached: undefined },
    violations: [{ kind: "model", seed: first, what: [`${failure}, in one of ${count} schedules`] }],
  };
}
