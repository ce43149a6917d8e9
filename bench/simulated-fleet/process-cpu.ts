import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Seconds of processor time that each of some processes has taken. */
export type CpuTimes = ReadonlyMap<number, number>;

/** As Linux counts them; empty elsewhere, so that there is nothing to compare. */
export function readCpuTimes(pids: readonly number[]): CpuTimes {
  return new Map(
    pids.flatMap((pid) => {
      const ticks = readTicks(pid);
      return ticks === undefined ? [] : [[pid, ticks / 100]];
    }),
  );
}

/** Between two readings, of those that have not ended; `NaN` where nothing can be read. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): number {
  if (after.size === 0) return Number.NaN;
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0);
}

/** Of a Postgres that runs on that folder: its main process and those that it has started. */
export function findServerPids(dataFolder: string): number[] {
  const main = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0] ?? "";
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", main], { encoding: "utf8" });
  return [main, ...children.trim().split("\n")].filter((pid) => pid !== "").map(Number);
}

/** Its own user and system time. */
function readTicks(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return undefined;
  }
}
