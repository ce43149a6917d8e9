import type { Command } from "commander";
import type { Environment } from "./deployment.ts";
import { openStore } from "./open-store.ts";
import { type OutputOptions, print } from "./output.ts";

export function addMigrateCommand(program: Command, env: Environment): void {
  program
    .command("migrate")
    .description("creates or upgrades the database's schema; safe to repeat, and in many processes at once")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_DATABASE_URL=postgres://… byokit migrate")
    .action(async ({ json = false }: OutputOptions) => {
      const { store, close } = await openStore(env.BYOK_DATABASE_URL);
      try {
        await store.migrate();
        print({ migrated: true }, [["The schema is this release's."]], json);
      } finally {
        await close();
      }
    });
}
