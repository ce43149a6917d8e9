import { CommanderError } from "commander";
import { type ByokErrorCode, isByokError } from "../errors.ts";
import { isWithoutSchema } from "../store/store-unavailable.ts";
import { escapeText } from "./escape-text.ts";

/** Done; failed for good; used wrongly; worth another try (sysexits' EX_TEMPFAIL). */
export const exitCodes = { done: 0, failed: 1, usage: 2, tryAgain: 75 } as const;

const outcomes = {
  account_unsupported: "usage",
  agent_invalid: "failed",
  change_not_visible: "tryAgain",
  checks_limited: "tryAgain",
  closed: "failed",
  deadline_exceeded: "tryAgain",
  host_refused: "failed",
  import_failed: "tryAgain",
  key_changed: "failed",
  key_exhausted: "failed",
  key_malformed: "failed",
  key_not_configured: "failed",
  key_rejected: "failed",
  key_replaced: "tryAgain",
  key_revoked: "failed",
  key_undecryptable: "failed",
  keyring_outdated: "failed",
  keyring_unavailable: "tryAgain",
  options_invalid: "usage",
  org_invalid: "usage",
  platform_key_refused: "failed",
  provider_failed: "tryAgain",
  provider_unknown: "usage",
  region_unknown: "usage",
  request_timeout: "tryAgain",
  sdk_missing: "failed",
  sdk_unsupported: "failed",
  store_unavailable: "tryAgain",
} satisfies Record<ByokErrorCode, keyof typeof exitCodes>;

/** Says what went wrong in one line, and returns the code that the process ends with. */
export function reportFailure(error: unknown, print: (line: string) => void): number {
  const say = (line: string): void => print(escapeText(line));
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    const what = explainUsage(error);
    if (what !== undefined) say(`${what} See --help.`);
    return exitCodes.usage;
  }
  if (!isByokError(error)) {
    say(
      `byokit failed: ${error instanceof Error ? error.name : "unknown"}. Report it, with the command that you gave.`,
    );
    return exitCodes.failed;
  }
  const setting = error.code === "store_unavailable" ? " (BYOK_DATABASE_URL)" : "";
  say(`${error.code}${setting}: ${error.message}`);
  const outcome = outcomes[error.code];
  const isLasting = !error.retryable || isWithoutSchema(error);
  return exitCodes[outcome === "tryAgain" && isLasting ? "failed" : outcome];
}

/** Commander's own text repeats what was given, which may be a key. What names the command's own parts is safe. */
function explainUsage({ code, message }: CommanderError): string | undefined {
  if (ownWords.has(code)) return `${message.replace(/^error: /u, "").replace(/^./u, (first) => first.toUpperCase())}.`;
  if (code === "commander.invalidArgument") {
    return `${message.replace(/^error: o/u, "O").replace(/argument '[\s\S]*' is invalid/u, "has a value that it cannot take")}`;
  }
  const what = strangers.get(code);
  return what && `${what} A key is given on standard input, never as an argument.`;
}

const ownWords: ReadonlySet<string> = new Set([
  "commander.missingArgument",
  "commander.missingMandatoryOptionValue",
  "commander.optionMissingArgument",
]);

const strangers: ReadonlyMap<string, string> = new Map([
  ["commander.excessArguments", "That is more than the command takes."],
  ["commander.unknownCommand", "There is no such command."],
  ["commander.unknownOption", "There is no such option."],
]);
