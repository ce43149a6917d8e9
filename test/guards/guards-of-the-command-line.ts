import { type Guard, guardsOf } from "./guard.ts";

/** What is typed is not shown, and no process loses another's change. */
export const guardsOfTheCommandLine: readonly Guard[] = [
  ...guardsOf("cli/read-key.ts", "cli/read-key.test.ts", [
    ["no echo", "output: nowhere", "output: process.stderr", "at a terminal"],
    ["a key's end", "if (text.length > maxLength) throw", "if (false) throw", "no end"],
  ]),
  ...guardsOf("cli/hold-lock.ts", "cli/token-file.test.ts", [
    ["one process at a time", 'file.exec("BEGIN EXCLUSIVE");', "", "only slow"],
    ["a wait for the others", "PRAGMA busy_timeout", "PRAGMA no_pragma", "only slow"],
    ["a lock that is held", "errcode === busy", "false", "only slow"],
    ["a lock for its owner only", "mode: 0o600, ", "", "only its owner's"],
  ]),
  ...guardsOf("cli/complain-of-node.ts", "cli/old-node.test.ts", [
    ["a release that is too old", "if (major > oldest[0] ||", "if (true ||", "Node [\\d.]+ is too old"],
    ["releases to come", "major > oldest[0] ||", "", "Node (?:23|24|100).*new enough"],
  ]),
  ...guardsOf("cli/print-warnings.ts", "cli/old-node.test.ts", [
    ["warnings of one line", 'process.removeAllListeners("warning");', "", "a warning is one line"],
  ]),
  ...guardsOf("cli/token-file.ts", "cli/token-file.test.ts", [
    ["what others wrote", "change(before)", "change([])", "only slow"],
  ]),
];
