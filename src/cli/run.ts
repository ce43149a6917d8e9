import { exitCodes, reportFailure } from "./exit-code.ts";
import { createProgram } from "./program.ts";

/** How long what a command has left open may hold its process, in milliseconds. */
const lingerMs = 1_000;

/** Runs the command that the process was started with, and sets the code that it ends with. */
export async function run(): Promise<void> {
  // The reader of what is printed may stop reading: `byokit … | head`.
  process.stdout.once("error", () => process.exit(exitCodes.failed));
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = reportFailure(error, (line) => process.stderr.write(`${line}\n`));
  }
  // A driver may leave a socket open that it has given up, which would hold the process.
  setTimeout(() => process.exit(), lingerMs).unref();
}
