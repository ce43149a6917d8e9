import type { Command } from "commander";
import { positiveInteger } from "../options.ts";
import type { Environment } from "./environment.ts";
import { exitCodes } from "./exit-code.ts";
import { openStore } from "./open-store.ts";
import { type OutputOptions, print } from "./output.ts";

interface DoctorOptions extends OutputOptions {
  readonly seen?: string;
}

/** The most contradictions that are listed. */
const maxListed = 1_000;

export function addDoctorCommand(program: Command, env: Environment): void {
  program
    .command("doctor")
    .description("reports what is inconsistent in the database; ends with 1 if anything is")
    .option("--seen <seq>", "the newest change seen anywhere: in a worker's health(), or in the answer to a change")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  byokit doctor --seen 4711")
    .action(async ({ seen, json = false }: DoctorOptions) => {
      const newest = seen === undefined ? undefined : positiveInteger("--seen", Number(seen));
      const { store, close } = await openStore(env);
      try {
        const { head } = await store.poll({ windowMs: 0 });
        const contradictions = await store.findContradictions(maxListed);
        const lost = newest === undefined ? 0 : Math.max(0, newest - head);
        print(
          { head, lostChanges: lost, contradictions },
          [
            [`The newest change is ${head}.`],
            ...(lost > 0
              ? [[`The last ${lost} changes are lost: an older backup was restored. Keys that they removed are back.`]]
              : []),
            ...(contradictions.length > 0 ? [["organisation", "provider", "stored", "by the audit trail"]] : []),
            ...contradictions.map(({ orgId, provider, secretId, auditedSecretId }) => [
              orgId,
              provider,
              secretId ?? "nothing",
              auditedSecretId ?? "nothing",
            ]),
          ],
          json,
        );
        if (lost > 0 || contradictions.length > 0) process.exitCode = exitCodes.failed;
      } finally {
        await close();
      }
    });
}
