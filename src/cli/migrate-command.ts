import type { Command } from "commander";
import { ByokError } from "../errors.ts";
import { composeMigration } from "../store/postgres/postgres-schema.ts";
import type { Environment } from "./environment.ts";
import { openStore } from "./open-store.ts";
import { type OutputOptions, print } from "./output.ts";
import { readDatabase } from "./read-database.ts";
import { readSetting } from "./read-setting.ts";

interface MigrateOptions extends OutputOptions {
  readonly print?: boolean;
}

export function addMigrateCommand(program: Command, env: Environment): void {
  program
    .command("migrate")
    .description("creates or upgrades the database's schema; safe to repeat, and in many processes at once")
    .option("--print", "print the SQL for Postgres instead, for someone else to run; opens no database")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  BYOK_DATABASE_URL=./byok.sqlite byokit migrate\n  BYOK_SCHEMA=byok byokit migrate --print > migration.sql",
    )
    .action(async (options: MigrateOptions) => {
      if (options.print) return printMigration(env);
      const { store, close } = await openStore(env, { creates: true });
      try {
        await store.migrate();
        print({ migrated: true }, [["The schema is this release's."]], options.json ?? false);
      } finally {
        await close();
      }
    });
}

function printMigration(env: Environment): void {
  if (env.BYOK_DATABASE_URL && readDatabase(env).kind === "sqlite") {
    const message = "--print is for Postgres, and BYOK_DATABASE_URL names a SQLite file. Run `byokit migrate` instead.";
    throw new ByokError("options_invalid", message);
  }
  const quoted = `"${(readSetting(env, "BYOK_SCHEMA") ?? "public").replaceAll('"', '""')}"`;
  process.stdout.write(composeMigration(quoted));
}
