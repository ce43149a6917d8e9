import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Step } from "../model/run-model.ts";
import type { Edit } from "./edit-on-load.ts";
import { isMiniature, miniature } from "./model-batch.ts";

/** A schedule's steps, as few as were found that violate something; all of them where nothing is violated. */
export interface Shortest {
  readonly steps: readonly Step[];
  readonly violations: readonly string[];
}

/** Plays one seed of the model in a process of its own, and leaves out what the violation does not need. */
export async function playShortest(seed: number, edits: readonly Edit[] = []): Promise<Shortest> {
  const child = fork(join(import.meta.dirname, "shortest-process.ts"), [String(seed)], {
    execArgv: ["--import", join(import.meta.dirname, "edit-on-load.ts")],
    env: { ...process.env, BYOKIT_EDITS: JSON.stringify(isMiniature(seed) ? [...edits, miniature] : edits) },
  });
  const [shortest] = (await once(child, "message")) as [Shortest];
  return shortest;
}
