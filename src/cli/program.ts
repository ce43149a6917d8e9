import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addBackupCommands } from "./backup-commands.ts";
import { addDoctorCommand } from "./doctor-command.ts";
import type { Environment } from "./environment.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addKeyringCommands } from "./keyring-commands.ts";
import { addMigrateCommand } from "./migrate-command.ts";
import { addServeCommand } from "./serve-command.ts";
import { addTokenCommands } from "./token-commands.ts";

const help = `
Environment:
  BYOK_DATABASE_URL  postgres://user:password@host:5432/database, or the path of a SQLite file: ./byok.sqlite
  BYOK_SCHEMA        the Postgres schema of byokit's tables (default: the first one of the connection's path)
  BYOK_REDIS_URL     the workers' Redis; without it they learn of a change within their lease
  BYOK_REDIS_PREFIX  the prefix of the workers' redisCache (default: byok:)
  BYOK_KEYRING       the keyring: a file's path, or the JSON itself
  BYOK_ENDPOINTS     hosts instead of the providers' own, as JSON: {"openai": "https://…"}

Exit codes: 0 done, 1 failed, 2 used wrongly, 75 worth another try.

Example:
  byokit keyring create -o keyring.json
  export BYOK_KEYRING=./keyring.json BYOK_DATABASE_URL=./byok.sqlite
  byokit migrate
  byokit keys set --org acme --provider openai < openai-key.txt`;

/** The command line. Throws what fails; the caller ends the process. */
export function createProgram(env: Environment = process.env): Command {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const program = new Command("byokit")
    .version(version)
    .description("Customers' own provider keys: store, check, replace and remove them.")
    .addHelpText("after", help)
    // The caller that ends the process says it, without what was given: it may be a key.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  addKeyringCommands(program, env);
  addMigrateCommand(program, env);
  addKeyCommands(program, env);
  addDoctorCommand(program, env);
  addBackupCommands(program, env);
  addTokenCommands(program);
  addServeCommand(program, env);
  for (const group of program.commands.filter(({ commands }) => commands.length > 0)) {
    group.addHelpText("after", `\nExample:\n  byokit ${group.name()} ${group.commands[0]?.name()} --help`);
  }
  return program;
}
