import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import type { KeySnapshot } from "../store/sealed-key.ts";
import type { KeyStoreFaults, OpenedKeyStore, Test } from "./opened-key-store.ts";
import { keyOf, one, put } from "./stored-samples.ts";

/** What a store owes to its change log: no gap, nothing seen out of order, and another history never passes for its own. */
export function changeLogContract<Opened extends OpenedKeyStore>(
  test: Test,
  migrated: () => Promise<Opened>,
  { stopWriter, backup }: KeyStoreFaults<Opened>,
): void {
  test("leaves one key and fifty log rows of fifty racing replaces, and the last number stands", async () => {
    const { store, again } = await migrated();
    const handles = await Promise.all(Array.from({ length: 5 }, again));
    const keys = Array.from({ length: 50 }, () => keyOf("org"));
    const changes = await Promise.all(keys.map((key, at) => put(handles[at % 5] ?? store, key)));
    deepEqual(
      changes.map(({ seq }) => seq).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    const { keys: left, asOf } = await one(store, "org");
    deepEqual([asOf, left.length], [50, 1]);
    equal(left[0]?.secretId, keys[changes.findIndex(({ seq }) => seq === 50)]?.secretId);
    equal(new Set(changes.map(({ secretId }) => secretId)).size, 50);
    const { changes: rows, head } = await store.poll({ after: 0 });
    deepEqual([head, rows.map(({ seq }) => seq)], [50, Array.from({ length: 50 }, (_, at) => at + 1)]);
  });

  test("shows change n in every snapshot that shows number n, while writers hammer", async () => {
    const { store, again } = await migrated();
    const writer = await again();
    const written = new Map<number, string>();
    let isWriting = true;
    const writing = (async () => {
      for (let at = 0; at < 60; at += 1) {
        const key = keyOf("org");
        written.set((await put(writer, key)).seq, key.secretId);
      }
      isWriting = false;
    })();
    const seen: KeySnapshot[] = [];
    while (isWriting) seen.push(await one(store, "org"));
    await writing;
    for (const { asOf, keys } of seen) equal(keys[0]?.secretId, written.get(asOf));
  });

  test("skips no change in a poll, and shows every row the same for everybody", async () => {
    const { store, again } = await migrated();
    for (const orgId of ["a", "b", "a"]) await put(store, keyOf(orgId));
    const page = await (await again()).poll({ after: 1 });
    deepEqual(
      page.changes.map(({ seq, orgId }) => [seq, orgId]),
      [
        [2, "b"],
        [3, "a"],
      ],
    );
    deepEqual([page.after, page.head, page.headChangeId], [1, 3, page.changes[1]?.changeId]);
    equal((await one(store, "a")).changeId, page.headChangeId);
    equal((await store.poll({ after: 3 })).afterChangeId, page.headChangeId);
    notEqual(page.afterChangeId, page.headChangeId);
  });

  test("skips no change in polls that follow a writer, and reads every row once", async () => {
    const { store, again } = await migrated();
    const writers = [await again(), await again()];
    let isWriting = true;
    const writing = Promise.all(
      writers.map(async (writer) => {
        for (let at = 0; at < 40; at += 1) await put(writer, keyOf(`org-${at % 3}`));
      }),
    ).finally(() => {
      isWriting = false;
    });
    const read: number[] = [];
    for (let isLast = false; !isLast; ) {
      isLast = !isWriting;
      const { changes, head, headChangeId } = await store.poll({ after: read.length });
      read.push(...changes.map(({ seq }) => seq));
      equal(changes.at(-1)?.seq ?? read.length, head);
      if (changes.length > 0) equal(changes.at(-1)?.changeId, headChangeId);
    }
    await writing;
    deepEqual(
      read,
      Array.from({ length: 80 }, (_, at) => at + 1),
    );
  });

  test("has no change id for a row that is not there", async () => {
    const { store } = await migrated();
    equal((await store.poll({ after: 99 })).afterChangeId, null);
  });

  test("starts a poll at the head, or at the newest change older than a window", async () => {
    const { store } = await migrated();
    await put(store, keyOf("a"));
    await put(store, keyOf("b"));
    const atHead = await store.poll({ windowMs: 0 });
    deepEqual([atHead.after, atHead.afterChangeId, atHead.changes], [2, atHead.headChangeId, []]);
    const inWindow = await store.poll({ windowMs: 3_600_000 });
    deepEqual([inWindow.after, inWindow.changes.map(({ seq }) => seq)], [0, [1, 2]]);
    ok(inWindow.afterChangeId);
  });

  if (stopWriter !== undefined) {
    test("fails writers by their time limit while one is stopped, and readers go on", async () => {
      const opened = await migrated();
      const resume = await stopWriter(opened);
      await rejects(put(opened.store, keyOf("org")), { code: "store_unavailable", retryable: true });
      equal((await one(opened.store, "org")).asOf, 0);
      await resume();
      equal((await put(opened.store, keyOf("org"))).seq, 1);
    });
  }

  if (backup !== undefined) {
    test("shows another history after it was put back: other change ids under the same numbers", async () => {
      const opened = await migrated();
      await put(opened.store, keyOf("org"));
      const restore = await backup(opened);
      await put(opened.store, keyOf("org"));
      const { headChangeId } = await opened.store.poll({ windowMs: 0 });
      const restored = await restore();
      equal((await restored.poll({ after: 2 })).afterChangeId, null);
      await restored.put(keyOf("org"));
      const page = await restored.poll({ after: 2 });
      equal(page.head, 2);
      notEqual(page.afterChangeId, headChangeId);
    });
  }
}
