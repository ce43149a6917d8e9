import { vi } from "vitest";
import type { Environment } from "../../src/cli/environment.ts";
import { reportFailure } from "../../src/cli/exit-code.ts";
import { createProgram } from "../../src/cli/program.ts";

export interface Ended {
  readonly code: number;
  readonly out: string;
  /** What it says on standard error. */
  readonly said: string;
}

/** Runs a command in this process, as `run` does in its own. */
export async function runHere(arguments_: readonly string[], env: Environment = {}): Promise<Ended> {
  let [out, said] = ["", ""];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    }),
  ];
  try {
    await createProgram(env).parseAsync(arguments_, { from: "user" });
    return { code: Number(process.exitCode ?? 0), out, said };
  } catch (error) {
    const code = reportFailure(error, (line) => process.stderr.write(`${line}\n`));
    return { code, out, said };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}
