#!/usr/bin/env node
import { exitCodes, reportFailure } from "./exit-code.ts";
import { createProgram } from "./program.ts";

// Whoever reads what is printed may stop reading: `byokit … | head`.
process.stdout.once("error", () => process.exit(exitCodes.failed));

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, (line) => process.stderr.write(`${line}\n`));
}
