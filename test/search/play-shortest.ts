import { once } from "node:events";
import type { Step } from "../model/run-model.ts";
import type { Edit } from "./edit-on-load.ts";
import { forkEdited } from "./fork-edited.ts";
import { isMiniature, miniature } from "./model-batch.ts";

/** A schedule's steps, as few as were found that violate something; all of them where nothing is violated. */
export interface Shortest {
  readonly steps: readonly Step[];
  readonly violations: readonly string[];
}

/** The longest that it is looked for. */
const limitMs = 60_000;

/**
 * Plays one seed of the model in a process of its own, and leaves out what the violation does not need. A schedule that
 * never ends violates something, of which no steps are known.
 */
export async function playShortest(seed: number, edits: readonly Edit[] = []): Promise<Shortest> {
  const all = isMiniature(seed) ? [...edits, miniature] : edits;
  const child = forkEdited("shortest-process.ts", [String(seed)], all);
  let shortest: Shortest | undefined;
  child.on("message", (message) => {
    shortest = message as Shortest;
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limitMs);
  // Messages may come behind the exit, but not behind the disconnect.
  const [[code, signal]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
  clearTimeout(timer);
  const end = isLate ? `a schedule did not end within ${limitMs} ms` : `the process ended with ${signal ?? code}`;
  return shortest ?? { steps: [], violations: [end] };
}
