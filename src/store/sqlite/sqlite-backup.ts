import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ByokError } from "../../errors.ts";
import { nodeCrypto } from "../../node-crypto.ts";
import { storeUnavailable } from "../store-unavailable.ts";
import { isWhole, toSqliteError } from "./sqlite-failure.ts";
import { hasAnySchema, upgradeSchema } from "./sqlite-schema.ts";

/** How long a writer is waited for, in milliseconds. */
const busyTimeoutMs = 5_000;

const sideSuffixes = ["-wal", "-shm"];

const tables = ["byok_clock", "byok_log", "byok_org", "byok_place", "byok_secret", "byok_audit"];

/**
 * Copies a database, as it is at one instant and while others use it, into a file of its owner's alone.
 *
 * @throws ByokError `options_invalid` when `target` is there already or cannot be, `store_unavailable`
 */
export function backUpSqlite(path: string, target: string): void {
  withDatabase(path, (database) => {
    reserve(target);
    const unfinished = `${target}.${nodeCrypto().randomUUID()}`;
    try {
      // An empty file keeps its mode.
      closeSync(openSync(unfinished, "wx", 0o600));
      database.prepare("VACUUM INTO ?").run(unfinished);
      renameSync(unfinished, target);
    } catch (error) {
      for (const file of [unfinished, target]) rmSync(file, { force: true });
      throw error;
    }
  });
}

/** What a restore has done. */
export interface RestoredSqlite {
  /** The newest change of the backup. */
  readonly head: number;
  /** The changes that the database had beyond it, and has no longer. */
  readonly lostChanges: number;
  /** Where the file is now that was damaged, or no database at all; `null`: there was none such. */
  readonly setAside: string | null;
}

/**
 * Puts a backup in the place of what a database holds, in one transaction, so that the processes that use it meet either
 * the one or the other. Workers take it for another history and forget what they knew. Where there is no database, the
 * backup becomes one; a file that is damaged, or no database, is set aside and kept.
 *
 * @throws ByokError `options_invalid` when `source` is no backup, or `path` has a database and `replaces` is not true;
 * `store_unavailable`
 */
export function restoreSqlite(path: string, source: string, { replaces }: { replaces: boolean }): RestoredSqlite {
  assertBackup(source);
  if (!replaces && hasContent(path)) {
    const message = `${path} is there already. To put the backup in its place, restore with --replace.`;
    throw new ByokError("options_invalid", message);
  }
  const setAside = existsSync(path) && !withDatabase(path, isWhole) ? moveAside(path) : null;
  if (!existsSync(path)) {
    // They belong to a file that is gone, and would be taken for the backup's own.
    for (const suffix of sideSuffixes) rmSync(`${path}${suffix}`, { force: true });
    backUpSqlite(source, path);
  }
  return withDatabase(path, (database) => {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON");
    const before = hasAnySchema(database) ? readHead(database) : 0;
    database.prepare("ATTACH DATABASE ? AS backup").run(source);
    database.exec("BEGIN IMMEDIATE");
    for (const table of tables) database.exec(`DROP TABLE IF EXISTS main.${table}`);
    database.exec("PRAGMA main.user_version = 0");
    upgradeSchema(database);
    for (const table of tables) copyRows(database, table);
    database.prepare("UPDATE main.byok_clock SET incarnation = ?").run(nodeCrypto().randomUUID());
    const head = readHead(database);
    database.exec("COMMIT; DETACH DATABASE backup; PRAGMA wal_checkpoint(TRUNCATE)");
    return { head, lostChanges: Math.max(0, before - head), setAside };
  });
}

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Its side files go with it: they may hold what it lacks. */
function moveAside(path: string): string {
  const aside = `${path}.set-aside-${nodeCrypto().randomUUID()}`;
  for (const suffix of ["", ...sideSuffixes]) {
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`);
  }
  return aside;
}

function assertBackup(source: string): void {
  if (existsSync(source) && withDatabase(source, isUsable)) return;
  const message = `${source} is no whole backup of byokit's. Name a file that byokit backup made.`;
  throw new ByokError("options_invalid", message);
}

function isUsable(database: DatabaseSync): boolean {
  try {
    const check = database.prepare("PRAGMA integrity_check(1)").get();
    return check?.["integrity_check"] === "ok" && hasAnySchema(database);
  } catch {
    return false;
  }
}

/** Columns of an older backup that are new since are left to their defaults. */
function copyRows(database: DatabaseSync, table: string): void {
  const namesOf = (schema: string): string[] =>
    database
      .prepare(`PRAGMA ${schema}.table_info(${table})`)
      .all()
      .map((column) => String(column["name"]));
  const given = new Set(namesOf("backup"));
  const columns = namesOf("main").filter((name) => given.has(name));
  database.exec(`DELETE FROM main.${table}`);
  database.exec(`INSERT INTO main.${table} (${columns.join()}) SELECT ${columns.join()} FROM backup.${table}`);
}

function readHead(database: DatabaseSync): number {
  return Number(database.prepare("SELECT seq FROM main.byok_clock WHERE id = 1").get()?.["seq"] ?? 0);
}

function withDatabase<T>(path: string, work: (database: DatabaseSync) => T): T {
  if (!existsSync(path)) throw storeUnavailable(`has no database file (${path})`, "Check the path.");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    return work(database);
  } catch (error) {
    throw toSqliteError(error, path);
  } finally {
    database?.close();
  }
}

function reserve(target: string): void {
  try {
    closeSync(openSync(target, "wx", 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new ByokError("options_invalid", `${target} is there already. Name a file that is not.`);
    const failure = toSqliteError(error, target);
    if (failure.retryable) throw failure;
    const next = "Check that its folder is there, and this process's right to write to it.";
    throw new ByokError("options_invalid", `${target} cannot be written (${code}). ${next}`);
  }
}
