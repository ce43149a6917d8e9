import { CommanderError } from "commander";
import { type ByokErrorCode, isByokError } from "../errors.ts";

/** Done; failed for good; used wrongly; worth another try (sysexits' EX_TEMPFAIL). */
export const exitCodes = { done: 0, failed: 1, usage: 2, tryAgain: 75 } as const;

const outcomes = {
  agent_invalid: "failed",
  change_not_visible: "tryAgain",
  checks_limited: "tryAgain",
  closed: "failed",
  deadline_exceeded: "tryAgain",
  host_refused: "failed",
  key_changed: "failed",
  key_malformed: "failed",
  key_not_configured: "failed",
  key_rejected: "failed",
  key_undecryptable: "failed",
  keyring_outdated: "failed",
  keyring_unavailable: "tryAgain",
  options_invalid: "usage",
  org_invalid: "usage",
  provider_failed: "tryAgain",
  provider_unknown: "usage",
  region_unknown: "usage",
  request_timeout: "tryAgain",
  sdk_missing: "failed",
  store_unavailable: "tryAgain",
} satisfies Record<ByokErrorCode, keyof typeof exitCodes>;

/** Says what went wrong in one line, and returns the code that the process ends with. */
export function reportFailure(error: unknown, say: (line: string) => void): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (!isByokError(error)) {
    say(
      `byokit failed: ${error instanceof Error ? error.name : "unknown"}. Report it, with the command that you gave.`,
    );
    return exitCodes.failed;
  }
  say(`${error.code}: ${error.message}`);
  const outcome = outcomes[error.code];
  return exitCodes[outcome === "tryAgain" && !error.retryable ? "failed" : outcome];
}
