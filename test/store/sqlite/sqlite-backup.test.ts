import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { NewKey } from "../../../src/store/key-change.ts";
import type { KeyStore } from "../../../src/store/key-store.ts";
import { backUpSqlite, restoreSqlite } from "../../../src/store/sqlite/sqlite-backup.ts";
import { sqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { agent, platform } from "../../support/worker.ts";

let folder: string;
let path: string;
let copy: string;
let store: KeyStore;
const keyOf = (orgId: string): NewKey => ({
  ...{ orgId, provider: "openai", name: "default", secretId: randomUUID(), region: null, account: null, kid: "kek-1" },
  ...{ sealed: randomUUID(), hint: null, actor: null, verdict: "skipped", place: null },
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "byokit-backup-"));
  [path, copy] = [join(folder, "byok.sqlite"), join(folder, "copy.sqlite")];
  store = sqliteStore({ path, timeoutMs: 10_000 });
  await store.migrate();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

it("a backup is whole while others write, and its owner's alone", async () => {
  await store.put(keyOf("a"));
  const writing = new DatabaseSync(path);
  writing.exec("BEGIN IMMEDIATE; DELETE FROM byok_secret");
  backUpSqlite(path, copy);
  writing.exec("ROLLBACK");
  writing.close();
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const kept = sqliteStore({ path: copy });
  expect(await kept.snapshots(["a"])).toMatchObject([{ asOf: 1, keys: [{ provider: "openai" }] }]);
  await kept.close();
  expect(
    readdirSync(folder)
      .filter((name) => name.startsWith("copy"))
      .sort()[0],
  ).toBe("copy.sqlite");
});

it("a backup is never written over a file that is there", () => {
  writeFileSync(copy, "mine");
  expect(() => backUpSqlite(path, copy)).toThrow(expect.objectContaining({ code: "options_invalid" }));
  expect(statSync(copy).size).toBe(4);
});

it("a backup that fails leaves nothing behind", () => {
  expect(() => backUpSqlite(join(folder, "nowhere"), copy)).toThrow(
    expect.objectContaining({ code: "store_unavailable" }),
  );
  expect(existsSync(copy)).toBe(false);
});

it("a restore is one step for the users of the database, and for workers another history", async () => {
  const { manager, worker } = await platform(store);
  await using here = worker();
  await manager.set("org", { provider: "ada", apiKey: "key-of-monday" });
  expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("key-of-monday");
  backUpSqlite(path, copy);
  await manager.set("org", { provider: "ada", apiKey: "key-of-tuesday" });
  await manager.set("other", { provider: "ada", apiKey: "key-of-other" });
  await here.clock.advance(3_000);
  expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("key-of-tuesday");
  expect(restoreSqlite(path, copy, { replaces: true })).toEqual({ head: 1, lostChanges: 2, setAside: null });
  await here.clock.advance(3_000);
  expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("key-of-monday");
  expect(here.events).toContainEqual({ type: "flushed", reason: "other_incarnation" });
  expect(here.resolver.health().lostHistory).toMatchObject({ lastSeq: 3, head: 1 });
  expect(await manager.remove("org", { provider: "ada" })).toMatchObject({ seq: 2 });
  expect(await store.findContradictions(10)).toEqual([]);
  await expect(async () => new DatabaseSync(path).exec("DELETE FROM byok_audit")).rejects.toThrow("append-only");
});

it("a restore founds a database where there is none", async () => {
  await store.put(keyOf("a"));
  backUpSqlite(path, copy);
  const other = join(folder, "other.sqlite");
  writeFileSync(`${other}-wal`, "of a file that is gone");
  expect(restoreSqlite(other, copy, { replaces: false })).toEqual({ head: 1, lostChanges: 0, setAside: null });
  expect(statSync(other).mode & 0o777).toBe(0o600);
  const restored = sqliteStore({ path: other });
  expect(await restored.describe("a")).toHaveLength(1);
  await restored.close();
});

it("a backup of an older release is restored, and what it had", async () => {
  await store.put({ ...keyOf("a"), account: { organization: "org-1", project: null } });
  backUpSqlite(path, copy);
  const older = new DatabaseSync(copy);
  older.exec("DROP TRIGGER byok_audit_account_stays; ALTER TABLE byok_secret DROP COLUMN organization");
  older.exec("ALTER TABLE byok_secret DROP COLUMN project; ALTER TABLE byok_audit DROP COLUMN organization");
  older.exec("ALTER TABLE byok_audit DROP COLUMN project; PRAGMA user_version = 1");
  older.close();
  await store.put(keyOf("b"));
  expect(restoreSqlite(path, copy, { replaces: true })).toMatchObject({ head: 1, lostChanges: 1 });
  expect(await store.describe("a")).toMatchObject([{ account: null }]);
  expect(await store.put(keyOf("b"))).toMatchObject({ seq: 2 });
});

it("a restore over what is there is asked for by name", async () => {
  await store.put(keyOf("a"));
  backUpSqlite(path, copy);
  await store.put(keyOf("b"));
  const refused = { code: "options_invalid", message: expect.stringContaining("--replace") };
  expect(() => restoreSqlite(path, copy, { replaces: false })).toThrow(expect.objectContaining(refused));
  expect(await store.describe("b")).toHaveLength(1);
});

it.each([
  ["no database", (bytes: Buffer) => bytes.fill("x")],
  ["damaged", (bytes: Buffer) => bytes.fill(0, 4_096)],
  ["cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
])("a restore over a file that is %s keeps that file, and open handles serve the backup", async (_, spoil) => {
  await store.put(keyOf("a"));
  backUpSqlite(path, copy);
  const spoilt = spoil(readFileSync(path));
  writeFileSync(path, spoilt);
  const { head, setAside } = restoreSqlite(path, copy, { replaces: true });
  expect(head).toBe(1);
  expect(readFileSync(setAside ?? "")).toEqual(spoilt);
  expect(await store.put(keyOf("b"))).toMatchObject({ seq: 2 });
  expect(await store.describe("a")).toHaveLength(1);
});

it.each([
  ["is not there", () => {}],
  ["is a text", () => writeFileSync(copy, "x".repeat(4_096))],
  ["is a database of somebody else's", () => new DatabaseSync(copy).exec("CREATE TABLE t (a)")],
])("a backup that %s is refused, and changes nothing", async (_, make) => {
  await store.put(keyOf("a"));
  make();
  expect(() => restoreSqlite(path, copy, { replaces: true })).toThrow(
    expect.objectContaining({ code: "options_invalid" }),
  );
  expect(await store.describe("a")).toHaveLength(1);
});
