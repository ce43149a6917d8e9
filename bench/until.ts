import { setTimeout as pause } from "node:timers/promises";

/** However busy the machine is, what is waited for comes within this or not at all. */
const patienceMs = 30_000;

/** Ends when something is so. What throws is not so yet. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + patienceMs;
  let failure = "";
  for (;;) {
    try {
      if (await isSo()) return;
    } catch (error) {
      failure = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() > endsAtMs) throw new Error(`Not within ${patienceMs / 1_000} s: ${what}${failure}.`);
    await pause(20);
  }
}
