import { History } from "../../src/coherence/history.ts";
import { WorkerMemory } from "../../src/coherence/worker-memory.ts";

const branches = ["incarnation", "generation", "changeId", "floor", "fence", "lease"] as const;

type Branch = (typeof branches)[number];

/** Everything that the use rule must be seen doing. */
export const allOfTheUseRule: readonly string[] = branches.flatMap((branch) => [
  `${branch} passes`,
  `${branch} refuses`,
]);

let isProbing = false;

/** Asks the use rule without its being noted. */
export function probe<T>(ask: () => T): T {
  isProbing = true;
  try {
    return ask();
  } finally {
    isProbing = false;
  }
}

/** Notes what each branch of the use rule says, told from what a history shows of itself. */
export function watchUseRule(seen: Set<string>): void {
  const { isAdmissible } = History.prototype;
  const { isFresh } = WorkerMemory.prototype;
  const note = (branch: Branch, passes: boolean): void => void seen.add(`${branch} ${passes ? "passes" : "refuses"}`);

  History.prototype.isAdmissible = function (snapshot) {
    const isAdmitted = isAdmissible.call(this, snapshot);
    if (isProbing) return isAdmitted;
    const { orgId, incarnation, generation, asOf } = snapshot;
    const { following } = this;
    const isMine = incarnation === following?.incarnation;
    const isOfNow = generation === this.generation;
    const floor = this.fence("");
    const fence = this.fence(orgId);
    note("incarnation", isMine);
    note("generation", isOfNow);
    note("floor", asOf >= floor);
    if (fence > floor) note("fence", asOf >= fence);
    if (isMine && isOfNow && asOf >= fence) note("changeId", isAdmitted);
    return isAdmitted;
  };

  WorkerMemory.prototype.isFresh = function (snapshot) {
    const may = isFresh.call(this, snapshot);
    if (!isProbing && isAdmissible.call(this.history, snapshot)) note("lease", may);
    return may;
  };
}
