import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { backUpSqlite, restoreSqlite } from "../../../src/store/sqlite/sqlite-backup.ts";
import { sqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

const folders: string[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "byokit-mode-"));
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

const modes = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );

it("a database that migrate() creates is its owner's alone, with its log and the index of that", async () => {
  const store = sqliteStore({ path: join(folder, "byok.sqlite") });
  await store.migrate();
  await store.poll({ windowMs: 0 });
  expect(modes()).toEqual({ "byok.sqlite": "600", "byok.sqlite-wal": "600", "byok.sqlite-shm": "600" });
  await store.close();
});

it("a database that a link leads to is created for its owner alone", async () => {
  symlinkSync(join(folder, "real.sqlite"), join(folder, "byok.sqlite"));
  await sqliteStore({ path: join(folder, "byok.sqlite") }).migrate();
  expect(modes()).toEqual({ "byok.sqlite": "600", "real.sqlite": "600" });
});

it("a database that is there keeps the mode that it has", async () => {
  writeFileSync(join(folder, "byok.sqlite"), "");
  chmodSync(join(folder, "byok.sqlite"), 0o640);
  await sqliteStore({ path: join(folder, "byok.sqlite") }).migrate();
  expect(modes()).toEqual({ "byok.sqlite": "640" });
});

it("a backup, and a database that is restored from it, are their owner's alone", async () => {
  const path = join(folder, "byok.sqlite");
  await sqliteStore({ path }).migrate();
  backUpSqlite(path, join(folder, "monday.sqlite"));
  restoreSqlite(join(folder, "restored.sqlite"), join(folder, "monday.sqlite"), { replaces: false });
  expect(modes()).toEqual({ "byok.sqlite": "600", "monday.sqlite": "600", "restored.sqlite": "600" });
});

it.each([
  ["a folder that is missing", (at: string) => join(at, "missing", "copy.sqlite")],
  ["a file in a folder's place", (at: string) => join(at, "byok.sqlite", "copy.sqlite")],
  ["a name that is too long", (at: string) => join(at, "x".repeat(300))],
])("a backup to %s is a mistake that no repetition mends, and leaves nothing behind", async (_what, place) => {
  const path = join(folder, "byok.sqlite");
  await sqliteStore({ path }).migrate();
  expect(() => backUpSqlite(path, place(folder))).toThrow(
    expect.objectContaining({ code: "options_invalid", message: expect.stringContaining(folder) }),
  );
  expect(readdirSync(folder)).toEqual(["byok.sqlite"]);
});

it("what stands in the way of a new database is named, and no mode is changed", async () => {
  const path = join(folder, "byok.sqlite");
  mkdirSync(path);
  chmodSync(path, 0o755);
  await expect(sqliteStore({ path }).migrate()).rejects.toMatchObject({ retryable: false });
  expect(modes()).toEqual({ "byok.sqlite": "755" });
});
