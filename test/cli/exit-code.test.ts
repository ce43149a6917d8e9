import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CommanderError } from "commander";
import { expect, it } from "vitest";
import { exitCodes, reportFailure } from "../../src/cli/exit-code.ts";
import { ByokError, type ByokErrorCode } from "../../src/index.ts";

const source = readFileSync(resolve(import.meta.dirname, "../../src/errors.ts"), "utf8");
const codes = [...source.matchAll(/^ {2}\| "(?<code>\w+)"/gmu)].map(({ groups }) => groups?.["code"] as ByokErrorCode);

it("a command ends with 75 for the errors that are worth another try, and for no other", () => {
  expect(codes.length).toBeGreaterThan(10);
  for (const code of codes) {
    const error = new ByokError(code, "Failed.");
    expect([code, reportFailure(error, () => {}) === exitCodes.tryAgain]).toEqual([code, error.retryable]);
  }
});

it("a command ends with 1 for an error that no repetition mends, though others of its code are worth one", () => {
  const lasting = new ByokError("store_unavailable", "Failed.", { retryable: false });
  expect([lasting.retryable, reportFailure(lasting, () => {})]).toEqual([false, exitCodes.failed]);
});

it("a failure that is not byokit's own is named, and its text is not shown", () => {
  const lines: string[] = [];
  expect(reportFailure(new TypeError("planted"), (line) => lines.push(line))).toBe(exitCodes.failed);
  expect(lines).toEqual([expect.stringMatching(/^byokit failed: TypeError\./u)]);
});

it.each([
  ["commander.unknownOption", "error: unknown option '--key=planted-key'"],
  ["commander.unknownCommand", "error: unknown command 'planted-key'"],
  ["commander.excessArguments", "error: too many arguments for 'set'. Expected 0 arguments but got 1: planted-key."],
  ["commander.invalidArgument", "error: option '--port <n>' argument 'planted-key' is invalid. Use 0 to 65535."],
  ["commander.conflictingOption", "error: option 'planted-key' cannot be used with that"],
])("what is given wrongly (%s) is never repeated", (code, message) => {
  const said: string[] = [];
  expect(reportFailure(new CommanderError(1, code, message), (line) => said.push(line))).toBe(2);
  expect(said.join()).not.toContain("planted-key");
});
