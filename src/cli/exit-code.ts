import { CommanderError } from "commander";
import { isByokError } from "../errors.ts";

/** Done; failed for good; used wrongly; worth another try (sysexits' EX_TEMPFAIL). */
export const exitCodes = { done: 0, failed: 1, usage: 2, tryAgain: 75 } as const;

const usageCodes: ReadonlySet<string> = new Set([
  "options_invalid",
  "org_invalid",
  "provider_unknown",
  "region_unknown",
]);

/** Says what went wrong in one line, and which code the process ends with. */
export function exitCodeOf(error: unknown, say: (line: string) => void): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (!isByokError(error)) {
    say(
      `byokit failed: ${error instanceof Error ? error.name : "unknown"}. Report it, with the command that you gave.`,
    );
    return exitCodes.failed;
  }
  say(`${error.code}: ${error.message}`);
  if (error.retryable) return exitCodes.tryAgain;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}
