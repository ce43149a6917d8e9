import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Edit } from "./edit-on-load.ts";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a file of this folder with edits of the source. Ends with this process, even in a loop that never ends. */
export function forkEdited(
  file: string,
  args: readonly string[],
  edits: readonly Edit[],
  flags: readonly string[] = [],
): ChildProcess {
  const child = fork(join(import.meta.dirname, file), [...args], {
    execArgv: [...flags, "--import", join(import.meta.dirname, "edit-on-load.ts")],
    env: { ...process.env, BYOKIT_EDITS: JSON.stringify(edits) },
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}
