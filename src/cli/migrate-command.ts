import type { Command } from "commander";
import { ByokError } from "../errors.ts";
import { composeMigration } from "../store/postgres/postgres-schema.ts";
import type { Environment } from "./deployment.ts";
import { isPostgres, openStore } from "./open-store.ts";
import { type OutputOptions, print } from "./output.ts";

interface MigrateOptions extends OutputOptions {
  readonly print?: boolean;
}

export function addMigrateCommand(program: Command, env: Environment): void {
  program
    .command("migrate")
    .description("creates or upgrades the database's schema; safe to repeat, and in many processes at once")
    .option("--print", "print the SQL for Postgres instead, for somebody else to run; opens no database")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_DATABASE_URL=postgres://… byokit migrate")
    .action(async (options: MigrateOptions) => {
      if (options.print) return printMigration(env);
      const { store, close } = await openStore(env.BYOK_DATABASE_URL, env.BYOK_SCHEMA);
      try {
        await store.migrate();
        print({ migrated: true }, [["The schema is this release's."]], options.json ?? false);
      } finally {
        await close();
      }
    });
}

function printMigration({ BYOK_DATABASE_URL: url, BYOK_SCHEMA: schema }: Environment): void {
  if (url && !isPostgres(url)) {
    const message = "--print is for Postgres, and BYOK_DATABASE_URL names a SQLite file. Run `byokit migrate` instead.";
    throw new ByokError("options_invalid", message);
  }
  const quoted = `"${(schema || "public").replaceAll('"', '""')}"`;
  process.stdout.write(composeMigration(quoted));
}
