import type { Reporter } from "vitest/node";

/** What every planted key of the tests has in it. */
const planted = "AbCdEfGhIjKlMnOp";

/** Fails the run when a test prints a planted key, or fails with one in its message. */
export const noKeyPrinted: Reporter = {
  onUserConsoleLog({ content, taskId }) {
    if (content.includes(planted)) fail(taskId ?? "somewhere");
  },
  onTestCaseResult(test) {
    const errors = test.result().errors ?? [];
    if (errors.some((error) => JSON.stringify(error).includes(planted))) fail(test.fullName);
  },
};

function fail(where: string): void {
  process.stderr.write(`A planted key was printed by: ${where}\n`);
  process.exitCode = 1;
}
