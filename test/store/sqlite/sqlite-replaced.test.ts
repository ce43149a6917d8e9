import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NewKey } from "../../../src/store/key-change.ts";
import type { KeyStore } from "../../../src/store/key-store.ts";
import { isSame, readIdentity } from "../../../src/store/sqlite/file-identity.ts";
import { SqliteFile } from "../../../src/store/sqlite/sqlite-file.ts";
import { sqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

let folder: string;
let path: string;
let opened: KeyStore[];
const open = (timeoutMs = 10_000): KeyStore => {
  const store = sqliteStore({ path, timeoutMs });
  opened.push(store);
  return store;
};
const keyOf = (orgId: string, sealed = `sealed-${randomUUID()}`): NewKey => ({
  ...{ orgId, provider: "openai", name: "default", secretId: randomUUID(), region: null, account: null, kid: "kek-1" },
  ...{ sealed, hint: null, actor: null, verdict: "skipped", place: null },
});
const refOf = (orgId: string) => ({ orgId, provider: "openai", name: "default" });
const sealedOf = async (store: KeyStore, orgId: string): Promise<string | undefined> =>
  (await store.snapshots([orgId]))[0]?.keys[0]?.sealed;
const backup = (): string => {
  const copy = join(folder, `backup-${randomUUID()}`);
  const database = new DatabaseSync(path);
  database.prepare("VACUUM INTO ?").run(copy);
  database.close();
  return copy;
};
const removeSideFiles = (): void => {
  for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
};

/** From here on nothing but another file, or another content, makes the handle open anew. */
const letSettle = async (store: KeyStore): Promise<void> => {
  utimesSync(path, new Date(), new Date(0));
  await store.poll({ after: 0 });
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "byokit-replaced-"));
  path = join(folder, "byok.sqlite");
  opened = [];
  await open().migrate();
});
afterEach(async () => {
  for (const store of opened) await store.close();
  rmSync(folder, { recursive: true });
});

/** How another database comes to stand under the path of a handle that is open. */
const replacements: readonly [how: string, replace: (copy: string) => void][] = [
  [
    "moved there, without the side files",
    (copy) => {
      removeSideFiles();
      renameSync(copy, path);
    },
  ],
  ["moved there, beside the old side files", (copy) => renameSync(copy, path)],
  [
    "created anew",
    (copy) => {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
      copyFileSync(copy, path);
    },
  ],
  ["copied over the same file, beside the old side files", (copy) => copyFileSync(copy, path)],
  [
    "copied over the same file, without the side files",
    (copy) => {
      copyFileSync(copy, path);
      removeSideFiles();
    },
  ],
];

describe.each(replacements)("a database that was %s under an open handle", (_, replace) => {
  it("is the one that a removal is stored in", async () => {
    const store = open();
    await store.put(keyOf("org", "sealed-old"));
    const copy = backup();
    await store.put(keyOf("org", "sealed-new"));
    replace(copy);
    await store.remove(refOf("org"), { actor: null });
    expect(await sealedOf(open(), "org")).toBeUndefined();
    expect((await open().audit("org", { before: null, limit: 9 })).map(({ action }) => action)).toEqual([
      "removed",
      "added",
    ]);
  });

  it("is the one that a cold read and a poll are of", async () => {
    const store = open();
    await store.put(keyOf("org", "sealed-old"));
    const copy = backup();
    await store.put(keyOf("org", "sealed-new"));
    await store.put(keyOf("org", "sealed-newer"));
    await letSettle(store);
    replace(copy);
    expect(await sealedOf(store, "org")).toBe("sealed-old");
    expect((await store.poll({ windowMs: 0 })).head).toBe(1);
    expect(await store.describe("org")).toMatchObject([{ sealed: "sealed-old" }]);
  });

  it("takes the changes of every process, and none is lost", async () => {
    const [one, other] = [open(), open()];
    await one.put(keyOf("a"));
    await other.put(keyOf("b"));
    const copy = backup();
    replace(copy);
    await one.put(keyOf("c"));
    await other.put(keyOf("d"));
    await one.remove(refOf("a"), { actor: null });
    const { changes } = await open().poll({ after: 0 });
    expect(changes.map(({ orgId }) => orgId)).toEqual(["a", "b", "c", "d", "a"]);
    const check = new DatabaseSync(path);
    expect(check.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    check.close();
  });
});

describe("a database under an open handle", () => {
  it.each([
    ["side files were", ["-wal", "-shm"]],
    ["log was", ["-wal"]],
    ["log's index was", ["-shm"]],
  ])("whose %s deleted loses no change, and has them where other processes look", async (_, suffixes) => {
    const [one, other] = [open(), open()];
    await other.put(keyOf("a"));
    await one.put(keyOf("b"));
    await letSettle(one);
    await letSettle(other);
    for (const suffix of suffixes) rmSync(`${path}${suffix}`);
    await one.put(keyOf("c"));
    expect([existsSync(`${path}-wal`), existsSync(`${path}-shm`)]).toEqual([true, true]);
    await other.put(keyOf("d"));
    expect((await open().poll({ after: 0 })).changes.map(({ orgId }) => orgId)).toEqual(["a", "b", "c", "d"]);
    expect((await one.poll({ after: 0 })).head).toBe(4);
  });

  it("that is gone is store_unavailable, whatever is asked, and serves again once it is back", async () => {
    const store = open();
    await store.put(keyOf("org"));
    const copy = backup();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    const gone = { code: "store_unavailable", message: expect.stringContaining(path) };
    await expect(store.snapshots(["org"])).rejects.toMatchObject(gone);
    await expect(store.poll({ after: 0 })).rejects.toMatchObject(gone);
    await expect(store.put(keyOf("org"))).rejects.toMatchObject(gone);
    await expect(store.remove(refOf("org"), { actor: null })).rejects.toMatchObject(gone);
    await expect(store.describe("org")).rejects.toMatchObject(gone);
    expect(existsSync(path)).toBe(false);
    renameSync(copy, path);
    expect(await store.remove(refOf("org"), { actor: null })).toMatchObject({ seq: 2 });
  });

  it("that is replaced in the middle of a change does not answer with success", async () => {
    const store = open();
    await store.put(keyOf("org"));
    const copy = backup();
    const file = new SqliteFile(path, 2_000);
    const changing = file.write((prepare) => {
      prepare("DELETE FROM byok_secret").run();
      renameSync(copy, path);
    });
    await expect(changing).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("replaced"),
    });
    file.close();
    expect(await sealedOf(open(), "org")).toBeDefined();
  });

  it("whose log is written back in part, while others read it, serves on", async () => {
    const [store, worker] = [open(300), open(300)];
    const startReading = (): DatabaseSync => {
      const reader = new DatabaseSync(path);
      reader.exec("BEGIN");
      reader.prepare("SELECT count(*) FROM byok_log").get();
      return reader;
    };
    await store.put(keyOf("org"));
    await worker.snapshots(["org"]);
    const early = startReading();
    await store.put(keyOf("org"));
    const late = startReading();
    early.close();
    await store.put(keyOf("org", "sealed-newest"));
    expect(readFileSync(`${path}-wal`).length).toBeGreaterThan(0);
    expect(await sealedOf(worker, "org")).toBe("sealed-newest");
    expect(await worker.remove(refOf("org"), { actor: null })).toMatchObject({ seq: 4 });
    late.close();
    expect(await sealedOf(store, "org")).toBeUndefined();
  });

  it("that is damaged beside a log that holds frames is named, and serves once a backup is restored", async () => {
    const store = open(300);
    await store.put(keyOf("org"));
    const copy = backup();
    const other = new DatabaseSync(path);
    const page = Number(
      other.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'byok_audit_of'").get()?.["rootpage"],
    );
    other.exec("PRAGMA wal_autocheckpoint = 0; UPDATE byok_clock SET incarnation = 'other'");
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, (page - 1) * 4_096, page * 4_096));
    const named = { code: "store_unavailable", message: expect.stringContaining(`is damaged (${path})`) };
    await expect(store.snapshots(["org"])).rejects.toMatchObject(named);
    await expect(store.takePlaces([refOf("org")], "place")).rejects.toMatchObject(named);
    other.close();
    removeSideFiles();
    renameSync(copy, path);
    expect(await store.remove(refOf("org"), { actor: null })).toMatchObject({ seq: 2 });
  });

  it.each([
    ["larger", 1, 40],
    ["smaller", 40, 1],
  ])("that is copied over with a %s one, with several handles, serves that one whole", async (_, before, after) => {
    const fill = async (store: KeyStore, count: number): Promise<void> => {
      for (let org = 0; org < count; org += 1) await store.put(keyOf(`org-${org}`, `sealed-${"x".repeat(400)}`));
    };
    const [one, other] = [open(), open()];
    await fill(one, before);
    await other.snapshots(["org"]);
    const source = sqliteStore({ path: join(folder, "source"), timeoutMs: 10_000 });
    await source.migrate();
    await fill(source, after);
    await source.close();
    copyFileSync(join(folder, "source"), path);
    const orgs = Array.from({ length: 40 }, (_org, org) => `org-${org}`);
    expect((await one.snapshots(orgs)).flatMap(({ keys }) => keys)).toHaveLength(after);
    await fill(one, 40);
    expect(await other.put(keyOf("org"))).toMatchObject({ seq: after + 41 });
    const check = new DatabaseSync(path);
    expect(check.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    check.close();
  });
});

it("a file that changed just now is not trusted to show its next change", () => {
  const text = join(folder, "text");
  writeFileSync(text, "one");
  const young = readIdentity(text);
  expect(young && isSame(young, readIdentity(text))).toBe(false);
  utimesSync(text, new Date(), new Date(0));
  const settled = readIdentity(text);
  expect(settled && isSame(settled, readIdentity(text))).toBe(true);
});

describe("what a removed key leaves in the files", () => {
  const traces = (): string[] =>
    readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes("sealed-planted"));

  it("is nothing when the removal has answered, nor when another key has replaced it", async () => {
    const store = open();
    await store.put(keyOf("org", "sealed-planted"));
    expect(traces()).not.toEqual([]);
    await store.remove(refOf("org"), { actor: null });
    expect(traces()).toEqual([]);
    await store.put(keyOf("org", "sealed-planted"));
    await store.put(keyOf("org", "sealed-other"));
    expect(traces()).toEqual([]);
  });

  it("goes with the next change where somebody reads the file meanwhile, and holds up no removal", async () => {
    const store = open();
    await store.put(keyOf("org", "sealed-planted"));
    const reader = new DatabaseSync(path);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM byok_secret").get();
    await store.remove(refOf("org"), { actor: null });
    reader.exec("COMMIT");
    reader.close();
    await store.put(keyOf("other"));
    expect(traces()).toEqual([]);
  });
});

describe("a path that leads to no database", () => {
  it.each([
    ["a folder", (at: string) => mkdirSync(at), "cannot be opened"],
    ["a text", (at: string) => writeFileSync(at, "x".repeat(4_096)), "is no SQLite database"],
  ])("but to %s is named, with what it leads to", async (_, make, words) => {
    const at = join(folder, "other");
    make(at);
    const store = sqliteStore({ path: at });
    const named = {
      code: "store_unavailable",
      retryable: false,
      message: expect.stringMatching(new RegExp(`${words} \\(${at}\\)`, "u")),
    };
    await expect(store.snapshots(["org"])).rejects.toMatchObject(named);
    await expect(store.migrate()).rejects.toMatchObject(named);
    await store.close();
  });

  it("for want of a folder is named when it is to be created", async () => {
    const at = join(folder, "missing", "byok.sqlite");
    await expect(sqliteStore({ path: at }).migrate()).rejects.toMatchObject({
      message: expect.stringContaining(`cannot be opened (${at}). Check that its folder is there`),
    });
  });
});
