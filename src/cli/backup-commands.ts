import type { Command } from "commander";
import { ByokError } from "../errors.ts";
import { backUpSqlite, restoreSqlite } from "../store/sqlite/sqlite-backup.ts";
import type { Environment } from "./environment.ts";
import { assertFile } from "./open-store.ts";
import { type OutputOptions, print } from "./output.ts";
import { readDatabase } from "./read-database.ts";

interface RestoreOptions extends OutputOptions {
  readonly replace?: boolean;
}

export function addBackupCommands(program: Command, env: Environment): void {
  program
    .command("backup")
    .description("copies a SQLite database into a new file, while others use it")
    .argument("<file>", "the file to create")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  byokit backup byok-monday.sqlite")
    .action((file: string, { json = false }: OutputOptions) => {
      const path = readPath(env);
      assertFile(path, { mayBeMissing: false });
      backUpSqlite(path, file);
      print({ backup: file }, [[`${file} holds the database as it is now.`]], json);
    });
  program
    .command("restore")
    .description("puts a backup in place of a SQLite database, while others use it")
    .argument("<file>", "a file made by byokit backup")
    .option("--replace", "replace the database that is there")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nKeys that were removed since the backup are back: remove them again.\n\nExample:\n  byokit restore byok-monday.sqlite --replace",
    )
    .action((file: string, { replace: replaces = false, json = false }: RestoreOptions) => {
      const path = readPath(env);
      assertFile(path, { mayBeMissing: true });
      const { head, lostChanges, setAside } = restoreSqlite(path, file, { replaces });
      const lost = `${lostChanges} later changes are lost, and keys that they removed are back.`;
      const kept = `What stood there was damaged, or no database. It is kept: ${setAside}`;
      const rows = [...(setAside === null ? [] : [[kept]]), ...(lostChanges > 0 ? [[lost]] : [])];
      print({ head, lostChanges, setAside }, [[`The newest change is ${head} now.`], ...rows], json);
    });
}

function readPath(env: Environment): string {
  const database = readDatabase(env);
  if (database.kind === "sqlite") return database.path;
  const message =
    "BYOK_DATABASE_URL names a Postgres. Back it up and restore it with its own means: pg_dump, or a base backup.";
  throw new ByokError("options_invalid", message);
}
