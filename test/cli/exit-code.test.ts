import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CommanderError } from "commander";
import { expect, it } from "vitest";
import { exitCodes, reportFailure } from "../../src/cli/exit-code.ts";
import { ByokError, type ByokErrorCode } from "../../src/index.ts";
import { noSchema } from "../../src/store/store-unavailable.ts";

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

it("a command ends with 1 for a database without a schema, which a worker may wait for", () => {
  const error = noSchema();
  expect([error.retryable, reportFailure(error, () => {})]).toEqual([true, exitCodes.failed]);
});

it("what is said holds nothing that steers a terminal, and is one line", () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  reportFailure(new ByokError("org_invalid", "a\u001b[2Jb\u009bc\nd\u202ee\u2028f"), say);
  reportFailure(Object.assign(new Error("x"), { name: "\u001b]0;title\u0007" }), say);
  expect(lines[0]).toBe("org_invalid: a\\u001b[2Jb\\u009bc\\u000ad\\u202ee\\u2028f");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
  expect(lines.join("")).not.toMatch(/[\u0000-\u001f]/u);
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
