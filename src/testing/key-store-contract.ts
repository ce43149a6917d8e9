import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { KeySnapshot, KeyStore, NewKey, NotedCheck } from "../vault/key-store.ts";

/** The runner's own `it` or `test`. */
export type Test = (name: string, run: () => Promise<void>) => unknown;

const hostileIds = [
  "a",
  "a:b",
  "b",
  "A",
  "'; DROP TABLE byok_secret; --",
  '"',
  "🐘🐘",
  "é",
  "e\u0301",
  "%",
  "x".repeat(255),
];

/** A new, empty store on which `migrate()` has not been called. */
export interface OpenedKeyStore {
  readonly store: KeyStore;
  /** Another handle on the same data, as a second process would have it. */
  again(): Promise<KeyStore>;
}

/** What can happen to a store that outlives its process. Left out for one that does not. */
export interface KeyStoreFaults<Opened extends OpenedKeyStore> {
  /** A writer stops in the middle of a change, and goes on when the answer is called. */
  stopWriter?(opened: Opened): Promise<() => Promise<void>>;
  /** Keeps a copy of the data; the answer puts it in their place, as a restored backup or a promoted standby does. */
  backup?(opened: Opened): Promise<() => Promise<KeyStore>>;
}

/** What every `KeyStore` owes, as tests for any runner. */
export function keyStoreContract<Opened extends OpenedKeyStore>(
  test: Test,
  open: () => Promise<Opened>,
  { stopWriter, backup }: KeyStoreFaults<Opened> = {},
): void {
  const migrated = async (): Promise<Opened> => {
    const opened = await open();
    await opened.store.migrate();
    return opened;
  };

  test("does nothing before migrate() but say what to do", async () => {
    const { store } = await open();
    const unavailable = { code: "store_unavailable", message: /migrate\(\)/u };
    await rejects(store.snapshots(["org"]), unavailable);
    await rejects(store.poll({ windowMs: 0 }), unavailable);
    await rejects(store.put(keyOf("org")), unavailable);
    await rejects(store.remove({ orgId: "org", provider: "openai" }, { actor: null }), unavailable);
    await rejects(store.describe("org"), unavailable);
    await rejects(store.noteCheck(checkOf(keyOf("org"), "passed")), unavailable);
    await rejects(store.audit("org", { before: null, limit: 10 }), unavailable);
  });

  test("migrates once, however many do it at the same time and however often", async () => {
    const { store, again } = await open();
    await Promise.all((await Promise.all(Array.from({ length: 10 }, again))).map((other) => other.migrate()));
    const before = await one(store, "org");
    await store.migrate();
    deepEqual(await one(store, "org"), before);
  });

  test("knows the head for an organisation without keys", async () => {
    const { store } = await migrated();
    const { incarnation, snap, mark, keys } = await one(store, "nobody");
    ok(incarnation && mark);
    deepEqual([snap, keys], [0, []]);
  });

  test("gives back what was stored, to every handle, in the order that was asked for", async () => {
    const { store, again } = await migrated();
    const key = { ...keyOf("b"), region: "eu", hint: "abcd", actor: "ann" };
    const { seq, secretId, references } = await store.put(key);
    deepEqual([seq, secretId, references], [1, null, { openai: key.secretId }]);
    const snapshots = await (await again()).snapshots(["a", "b", "c"]);
    deepEqual(
      snapshots.map(({ orgId, keys }) => [orgId, keys.length]),
      [
        ["a", 0],
        ["b", 1],
        ["c", 0],
      ],
    );
    const { orgId: _orgId, hint: _hint, actor: _actor, verification: _verification, ...sealed } = key;
    deepEqual({ ...snapshots[1]?.keys[0] }, sealed);
    const [record] = await store.describe("b");
    const { createdAtMs = 0, ...known } = { ...record };
    const facts = { hint: "abcd", createdBy: "ann", verification: "skipped", checkedAtMs: null };
    deepEqual(known, { ...sealed, ...facts });
    ok(Math.abs(createdAtMs - Date.now()) < 86_400_000);
  });

  test("keeps hostile organisation ids apart", async () => {
    const { store } = await migrated();
    for (const orgId of hostileIds) await store.put(keyOf(orgId, "openai", `sealed-of-${orgId}`));
    const snapshots = await store.snapshots(hostileIds);
    deepEqual(
      snapshots.map(({ keys }) => keys.map(({ sealed }) => sealed)),
      hostileIds.map((id) => [`sealed-of-${id}`]),
    );
  });

  test("replaces: the old key is gone, one log row more", async () => {
    const { store } = await migrated();
    const first = keyOf("org");
    await store.put(first);
    const { seq, secretId } = await store.put(keyOf("org"));
    deepEqual([seq, secretId], [2, first.secretId]);
    equal((await one(store, "org")).keys.length, 1);
  });

  test("leaves one key and fifty log rows of fifty racing replaces, and the last number stands", async () => {
    const { store, again } = await migrated();
    const handles = await Promise.all(Array.from({ length: 5 }, again));
    const keys = Array.from({ length: 50 }, () => keyOf("org"));
    const changes = await Promise.all(keys.map((key, at) => (handles[at % 5] ?? store).put(key)));
    deepEqual(
      changes.map(({ seq }) => seq).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    const { keys: left, snap } = await one(store, "org");
    deepEqual([snap, left.length], [50, 1]);
    equal(left[0]?.secretId, keys[changes.findIndex(({ seq }) => seq === 50)]?.secretId);
    equal(new Set(changes.map(({ secretId }) => secretId)).size, 50);
    const { changes: rows, head } = await store.poll({ after: 0 });
    deepEqual([head, rows.map(({ seq }) => seq)], [50, Array.from({ length: 50 }, (_, at) => at + 1)]);
  });

  test("removes for good, and removing what is not there moves no clock", async () => {
    const { store } = await migrated();
    const key = keyOf("org");
    await store.put(key);
    const removed = await store.remove({ orgId: "org", provider: "openai" }, { actor: "ann" });
    deepEqual([removed.seq, removed.secretId, removed.references], [2, key.secretId, {}]);
    const again = await store.remove({ orgId: "org", provider: "openai" }, { actor: "ann" });
    deepEqual([again.seq, again.secretId], [2, null]);
    deepEqual([(await store.poll({ windowMs: 0 })).head, (await store.describe("org")).length], [2, 0]);
  });

  test("shows change n in every snapshot that shows number n, while writers hammer", async () => {
    const { store, again } = await migrated();
    const writer = await again();
    const written = new Map<number, string>();
    let isWriting = true;
    const writing = (async () => {
      for (let at = 0; at < 60; at += 1) {
        const key = keyOf("org");
        written.set((await writer.put(key)).seq, key.secretId);
      }
      isWriting = false;
    })();
    const seen: KeySnapshot[] = [];
    while (isWriting) seen.push(await one(store, "org"));
    await writing;
    for (const { snap, keys } of seen) equal(keys[0]?.secretId, written.get(snap));
  });

  test("skips no change in a poll, and marks every row the same for everybody", async () => {
    const { store, again } = await migrated();
    for (const orgId of ["a", "b", "a"]) await store.put(keyOf(orgId));
    const page = await (await again()).poll({ after: 1 });
    deepEqual(
      page.changes.map(({ seq, orgId }) => [seq, orgId]),
      [
        [2, "b"],
        [3, "a"],
      ],
    );
    deepEqual([page.after, page.head, page.headMark], [1, 3, page.changes[1]?.mark]);
    equal((await one(store, "a")).mark, page.headMark);
    equal((await store.poll({ after: 3 })).afterMark, page.headMark);
    notEqual(page.afterMark, page.headMark);
  });

  test("notes what a provider said of a key, and moves no clock; not of a key that was replaced", async () => {
    const { store, again } = await migrated();
    const first = { ...keyOf("org"), verification: "passed" as const };
    await store.put(first);
    ok((await store.describe("org"))[0]?.checkedAtMs);
    equal(await (await again()).noteCheck(checkOf(first, "invalid")), true);
    const [checked] = await store.describe("org");
    deepEqual([checked?.verification, (await one(store, "org")).snap], ["invalid", 1]);
    const second = keyOf("org");
    await store.put(second);
    equal(await store.noteCheck(checkOf(first, "invalid")), false);
    equal(await store.noteCheck({ ...checkOf(second, "invalid"), orgId: "other" }), false);
    const [replaced] = await store.describe("org");
    deepEqual([replaced?.secretId, replaced?.verification, replaced?.checkedAtMs], [second.secretId, "skipped", null]);
  });

  test("keeps an audit row of every change, and of nothing else, for its own organisation", async () => {
    const { store, again } = await migrated();
    const first = { ...keyOf("org"), hint: "aaaa", region: "eu", actor: "ann", verification: "passed" as const };
    const second = { ...keyOf("org"), hint: "bbbb", verification: "unreachable" as const };
    await store.put(first);
    await store.put(keyOf("other"));
    await store.put(second);
    await store.noteCheck(checkOf(second, "passed"));
    await store.remove({ orgId: "org", provider: "openai" }, { actor: "bob" });
    await store.remove({ orgId: "org", provider: "openai" }, { actor: "bob" });
    const rows = await (await again()).audit("org", { before: null, limit: 10 });
    const common = { provider: "openai", region: null };
    const removed = { seq: 4, actor: "bob", action: "removed", secretId: null, verification: null, hint: "bbbb" };
    const replaced = { seq: 3, actor: null, action: "replaced", verification: "unreachable", hint: "bbbb" };
    const added = { seq: 1, actor: "ann", action: "added", verification: "passed", hint: "aaaa" };
    deepEqual(
      rows.map(({ atMs: _atMs, ...row }) => row),
      [
        { ...common, ...removed, previousSecretId: second.secretId },
        { ...common, ...replaced, secretId: second.secretId, previousSecretId: first.secretId },
        { ...common, ...added, secretId: first.secretId, previousSecretId: null, region: "eu" },
      ],
    );
    ok(rows.every(({ atMs }) => Math.abs(atMs - Date.now()) < 86_400_000));
    ok(!JSON.stringify(rows).includes(first.sealed));
    const pages = [
      await store.audit("org", { before: null, limit: 2 }),
      await store.audit("org", { before: 3, limit: 2 }),
    ];
    deepEqual(
      pages.map((page) => page.map(({ seq }) => seq)),
      [[4, 3], [1]],
    );
    deepEqual(await store.audit("nobody", { before: null, limit: 2 }), []);
  });

  test("skips no change in polls that follow a writer, and reads every row once", async () => {
    const { store, again } = await migrated();
    const writers = [await again(), await again()];
    let isWriting = true;
    const writing = Promise.all(
      writers.map(async (writer) => {
        for (let at = 0; at < 40; at += 1) await writer.put(keyOf(`org-${at % 3}`));
      }),
    ).finally(() => {
      isWriting = false;
    });
    const read: number[] = [];
    for (let isLast = false; !isLast; ) {
      isLast = !isWriting;
      const { changes, head, headMark } = await store.poll({ after: read.length });
      read.push(...changes.map(({ seq }) => seq));
      equal(changes.at(-1)?.seq ?? read.length, head);
      if (changes.length > 0) equal(changes.at(-1)?.mark, headMark);
    }
    await writing;
    deepEqual(
      read,
      Array.from({ length: 80 }, (_, at) => at + 1),
    );
  });

  if (stopWriter !== undefined) {
    test("fails writers by their time limit while one is stopped, and readers go on", async () => {
      const opened = await migrated();
      const resume = await stopWriter(opened);
      await rejects(opened.store.put(keyOf("org")), { code: "store_unavailable", retryable: true });
      equal((await one(opened.store, "org")).snap, 0);
      await resume();
      equal((await opened.store.put(keyOf("org"))).seq, 1);
    });
  }

  if (backup !== undefined) {
    test("shows another history after it was put back: other marks under the same numbers", async () => {
      const opened = await migrated();
      await opened.store.put(keyOf("org"));
      const restore = await backup(opened);
      await opened.store.put(keyOf("org"));
      const { headMark } = await opened.store.poll({ windowMs: 0 });
      const restored = await restore();
      equal((await restored.poll({ after: 2 })).afterMark, null);
      await restored.put(keyOf("org"));
      const page = await restored.poll({ after: 2 });
      equal(page.head, 2);
      notEqual(page.afterMark, headMark);
    });
  }

  test("has no mark for a row that is not there", async () => {
    const { store } = await migrated();
    equal((await store.poll({ after: 99 })).afterMark, null);
  });

  test("starts a poll at the head, or at the newest change older than a window", async () => {
    const { store } = await migrated();
    await store.put(keyOf("a"));
    await store.put(keyOf("b"));
    const atHead = await store.poll({ windowMs: 0 });
    deepEqual([atHead.after, atHead.afterMark, atHead.changes], [2, atHead.headMark, []]);
    const inWindow = await store.poll({ windowMs: 3_600_000 });
    deepEqual([inWindow.after, inWindow.changes.map(({ seq }) => seq)], [0, [1, 2]]);
    ok(inWindow.afterMark);
  });
}

function keyOf(orgId: string, provider = "openai", sealed: string = randomUUID()): NewKey {
  const facts = { region: null, kid: "kek-1", hint: null, actor: null, verification: "skipped" } as const;
  return { orgId, provider, secretId: randomUUID(), sealed, ...facts };
}

function checkOf({ orgId, provider, secretId }: NewKey, verification: NotedCheck["verification"]): NotedCheck {
  return { orgId, provider, secretId, verification };
}

async function one(store: KeyStore, orgId: string): Promise<KeySnapshot> {
  const [snapshot] = await store.snapshots([orgId]);
  if (snapshot === undefined) throw new Error("The store left an organisation out.");
  return snapshot;
}
