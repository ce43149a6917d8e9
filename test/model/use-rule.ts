import { History } from "../../src/coherence/history.ts";
import { WorkerMemory } from "../../src/coherence/worker-memory.ts";

const branches = ["incarnation", "generation", "mark", "floor", "fence", "lease"] as const;

type Branch = (typeof branches)[number];

/** Everything that the use rule must be seen doing. */
export const allOfTheUseRule: readonly string[] = branches.flatMap((branch) => [
  `${branch} passes`,
  `${branch} refuses`,
]);

/** Notes what each branch of the use rule says, told from what a history shows of itself. */
export function watchUseRule(seen: Set<string>): void {
  const { admits } = History.prototype;
  const { mayBeHandedOut } = WorkerMemory.prototype;
  const note = (branch: Branch, passes: boolean): void => void seen.add(`${branch} ${passes ? "passes" : "refuses"}`);

  History.prototype.admits = function (snapshot) {
    const isAdmitted = admits.call(this, snapshot);
    const { orgId, incarnation, generation, snap } = snapshot;
    const isMine = this.hasRead({ incarnation, snap: this.lastSeq, mark: this.lastMark });
    const isOfNow = generation === this.generation;
    const floor = this.fence("");
    const fence = this.fence(orgId);
    note("incarnation", isMine);
    note("generation", isOfNow);
    note("floor", snap >= floor);
    if (fence > floor) note("fence", snap >= fence);
    if (isMine && isOfNow && snap >= fence) note("mark", isAdmitted);
    return isAdmitted;
  };

  WorkerMemory.prototype.mayBeHandedOut = function (held) {
    const may = mayBeHandedOut.call(this, held);
    if (admits.call(this.history, held)) note("lease", may);
    return may;
  };
}
