import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { sqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { keyStoreContract } from "../../../src/testing/key-store-contract.ts";
import { waitFor } from "../../support/wait-for.ts";

const folder = mkdtempSync(join(tmpdir(), "byokit-sqlite-"));
const closing: (() => Promise<void>)[] = [];
const newPath = (): string => join(folder, `${randomUUID()}.sqlite`);
const open = (path: string, timeoutMs = 5_000) => {
  const store = sqliteStore({ path, timeoutMs });
  closing.push(() => store.close());
  return store;
};
const key = (orgId: string, sealed: string) => ({
  orgId,
  provider: "openai",
  secretId: sealed,
  region: null,
  account: null,
  kid: "kek-1",
  sealed,
  hint: null,
  actor: null,
  verdict: "skipped" as const,
  place: null,
  name: "default",
});

afterAll(async () => {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true });
});

describe("a store in a file", () => {
  keyStoreContract(
    it,
    async () => {
      const path = newPath();
      return { path, store: open(path, 500), again: async () => open(path) };
    },
    {
      async stopWriter({ path }) {
        const stopped = new DatabaseSync(path);
        stopped.exec("BEGIN IMMEDIATE");
        return async () => {
          stopped.exec("ROLLBACK");
          stopped.close();
        };
      },
      async backup({ path, store }) {
        const database = new DatabaseSync(path);
        database.exec(`VACUUM INTO '${path}.backup'`);
        database.close();
        return async () => {
          for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
          renameSync(`${path}.backup`, path);
          return store;
        };
      },
    },
  );

  it("is created by migrate() and by nothing else", async () => {
    const path = newPath();
    await expect(open(path).snapshots(["org"])).rejects.toMatchObject({ code: "store_unavailable" });
    expect(existsSync(path)).toBe(false);
  });

  it.each(["", ":memory:", "file:x"])("is refused under the path %j", (path) => {
    expect(() => sqliteStore({ path })).toThrow(expect.objectContaining({ code: "options_invalid" }));
  });

  it("of an older release is upgraded with its keys, which have no account then, and with its trail", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    await store.put(key("org", "s1"));
    const database = new DatabaseSync(path);
    database.exec("DROP INDEX byok_audit_observed");
    for (const table of ["byok_secret", "byok_audit"]) {
      database.exec("DROP TRIGGER IF EXISTS byok_audit_account_stays");
      for (const column of ["organization", "project"]) database.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
    }
    database.exec("PRAGMA user_version = 1");
    database.close();
    const newer = open(path);
    await expect(newer.snapshots(["org"])).rejects.toMatchObject({ message: expect.stringContaining("migrate()") });
    await newer.migrate();
    expect(await newer.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ secretId: "s1", account: null }] }]);
    expect(await newer.audit("org", { before: null, limit: 9 })).toMatchObject([{ secretId: "s1", account: null }]);
    const account = { organization: "org-1", project: null };
    expect(await newer.put({ ...key("org", "s2"), account })).toMatchObject({ seq: 2, secretId: "s1" });
    expect(await newer.describe("org")).toMatchObject([{ secretId: "s2", account }]);
    expect(() => new DatabaseSync(path).exec("UPDATE byok_audit SET organization = 'org-2'")).toThrow("append-only");
  });

  it("of a release that notes no uses serves all the same, and says that uses need migrate()", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    const database = new DatabaseSync(path);
    database.exec("DROP INDEX byok_audit_observed; PRAGMA user_version = 2");
    database.close();
    const newer = open(path);
    const use = { ...key("org", "s1"), verdict: "invalid" } as const;
    expect(await newer.put(key("org", "s1"))).toMatchObject({ seq: 1 });
    expect(await newer.snapshots(["org"])).toMatchObject([{ asOf: 1, keys: [{ secretId: "s1" }] }]);
    expect(await newer.describe("org")).toMatchObject([{ verdict: "skipped" }]);
    expect((await newer.poll({ after: 0 })).head).toBe(1);
    const refused = { code: "store_unavailable", message: expect.stringContaining("migrate()") };
    await expect(newer.noteUse?.(use)).rejects.toMatchObject(refused);
    await store.migrate();
    expect(await newer.noteUse?.(use)).toBe(true);
    expect(await newer.describe("org")).toMatchObject([{ verdict: "invalid" }]);
  });

  it("writes nothing for what a call found out before, and waits for no writer", async () => {
    const path = newPath();
    const store = open(path, 50);
    await store.migrate();
    await store.put(key("org", "s1"));
    const use = { ...key("org", "s1"), verdict: "invalid" } as const;
    await store.noteUse?.(use);
    const other = new DatabaseSync(path);
    const before = other.prepare("PRAGMA data_version").get();
    other.exec("BEGIN IMMEDIATE");
    expect(await store.noteUse?.(use)).toBe(true);
    expect(await store.noteUse?.({ ...use, secretId: "s0" })).toBe(false);
    await expect(store.noteUse?.({ ...use, verdict: "passed" })).rejects.toMatchObject({ code: "store_unavailable" });
    other.exec("ROLLBACK");
    expect(other.prepare("PRAGMA data_version").get()).toEqual(before);
    other.close();
  });

  it("leaves a key alone that was replaced between the look at it and the note of its use", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    await store.put(key("org", "s1"));
    const other = new DatabaseSync(path);
    const noting = store.noteUse?.({ ...key("org", "s1"), verdict: "invalid" });
    other.exec("UPDATE byok_secret SET secret_id = 's2'");
    other.close();
    expect(await noting).toBe(false);
    expect(await store.describe("org")).toMatchObject([{ secretId: "s2", verdict: "skipped" }]);
  });

  it("waits for another writer and then writes", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const waiting = store.put(key("org", "s1"));
    other.exec("COMMIT");
    other.close();
    expect(await waiting).toMatchObject({ seq: 1 });
  });

  it("takes a change back that fails half-way, and goes on", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    await store.put(key("a", "same-secret-id"));
    await expect(store.put(key("b", "same-secret-id"))).rejects.toMatchObject({ code: "store_unavailable" });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE; ROLLBACK");
    other.close();
    expect((await store.poll({ windowMs: 0 })).head).toBe(1);
    expect(await store.put(key("b", "s2"))).toMatchObject({ seq: 2 });
  });

  it("prunes its log by age from the beginning, a few rows with every change, and never the newest", async () => {
    const path = newPath();
    const store = sqliteStore({ path, timeoutMs: 5_000, logKeepMs: 1 });
    closing.push(() => store.close());
    await store.migrate();
    for (let change = 0; change < 30; change += 1) await store.put(key("org", randomUUID()));
    await waitFor(async () => {
      await store.put(key("org", randomUUID()));
      expect((await store.poll({ after: 25 })).afterChangeId).toBeNull();
    });
    const { head, headChangeId, changes } = await store.poll({ windowMs: 3_600_000 });
    expect(changes.map(({ seq }) => seq)).toEqual(Array.from(changes, (_, index) => head - changes.length + 1 + index));
    expect(await store.poll({ after: head })).toMatchObject({ afterChangeId: headChangeId, changes: [] });
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: head }]);
  });

  it("has an audit trail that is append-only, for anyone who opens the file too", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    await store.put(key("org", "s1"));
    const database = new DatabaseSync(path);
    const columns = "(id, seq, at_ms, org_id, actor, provider, name, action)";
    const replace = `INSERT OR REPLACE INTO byok_audit ${columns} VALUES (1, 1, 0, 'org', 'eve', 'openai', 'default', 'added')`;
    for (const edit of ["UPDATE byok_audit SET actor = 'eve'", "DELETE FROM byok_audit", replace]) {
      expect(() => database.exec(edit)).toThrow(/append-only/u);
    }
    database.close();
    expect(await store.audit("org", { before: null, limit: 10 })).toMatchObject([{ actor: null, action: "added" }]);
  });

  it("goes on with the schema of a newer release, whose steps only add", async () => {
    const path = newPath();
    await open(path).migrate();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(await open(path).put(key("org", "s1"))).toMatchObject({ seq: 1 });
    await expect(open(path).migrate()).rejects.toMatchObject({ message: expect.stringContaining("newer") });
  });

  it("keeps no trace of a removed key in its files", async () => {
    const path = newPath();
    const store = open(path);
    await store.migrate();
    await store.put({ ...key("org", "planted-sealed-text"), secretId: "s1" });
    const traces = (): string[] =>
      readdirSync(folder).filter(
        (name) =>
          join(folder, name).startsWith(path) && readFileSync(join(folder, name)).includes("planted-sealed-text"),
      );
    expect(traces()).not.toEqual([]);
    await store.remove({ orgId: "org", provider: "openai", name: "default" }, { actor: null });
    await store.close();
    copyFileSync(path, `${path}.copy`);
    expect(traces()).toEqual([]);
  });
});
