import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { AuditRow } from "../store/key-record.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { OpenedKeyStore, Test } from "./opened-key-store.ts";
import { account, checkOf, keyOf, one, put, refOf, useOf } from "./stored-samples.ts";

type NotingStore = KeyStore & Required<Pick<KeyStore, "noteUse">>;

function isNoting(store: KeyStore): store is NotingStore {
  return store.noteUse !== undefined;
}

/** What a store owes that notes what calls find out of keys. One that does not owes nothing here. */
export function useContract<Opened extends OpenedKeyStore>(
  test: Test,
  open: () => Promise<Opened>,
  migrated: () => Promise<Opened>,
): void {
  /** A test of a store that notes, with as many handles on it as it asks for. */
  const testNoting = (
    name: string,
    opening: () => Promise<Opened>,
    run: (store: NotingStore, again: () => Promise<NotingStore>) => Promise<void>,
  ): unknown =>
    test(name, async () => {
      const { store, again } = await opening();
      if (!isNoting(store)) return;
      await run(store, async () => {
        const other = await again();
        if (!isNoting(other)) throw new Error("Another handle on the store lacks noteUse.");
        return other;
      });
    });
  const readVerdict = async (store: KeyStore): Promise<string | undefined> => (await store.describe("org"))[0]?.verdict;
  const readObserved = async (store: KeyStore): Promise<AuditRow[]> =>
    (await store.audit("org", { before: null, limit: 100 })).filter(({ action }) => action === "observed");

  testNoting("notes nothing of a call before migrate() but says what to do", open, async (store) => {
    const unavailable = { code: "store_unavailable", message: /migrate\(\)/u };
    await rejects(store.noteUse(useOf(keyOf("org"), "invalid")), unavailable);
  });

  testNoting("knows what a call found out of a key, and when, on every handle", migrated, async (store, again) => {
    const key = keyOf("org");
    await put(store, key);
    for (const verdict of ["invalid", "exhausted", "passed"] as const) {
      equal(await (await again()).noteUse(useOf(key, verdict)), true);
      const [record] = await store.describe("org");
      equal(record?.verdict, verdict);
      ok(Math.abs((record?.checkedAtMs ?? 0) - Date.now()) < 86_400_000);
    }
  });

  testNoting("moves no clock and appends nothing to the log as a call is noted", migrated, async (store) => {
    const key = keyOf("org");
    await put(store, key);
    const before = await one(store, "org");
    equal(await store.noteUse(useOf(key, "invalid")), true);
    deepEqual(await one(store, "org"), before);
    const { head, changes } = await store.poll({ after: 0 });
    deepEqual([head, changes.length], [1, 1]);
    deepEqual(await store.findContradictions(10), []);
  });

  testNoting("lifts a refusal by a call that passes, and nothing else", migrated, async (store) => {
    for (const verdict of ["restricted", "skipped", "unreachable", "passed"] as const) {
      const key = { ...keyOf("org"), verdict };
      await put(store, key);
      const [before] = await store.describe("org");
      equal(await store.noteUse(useOf(key, "passed")), true);
      const [after] = await store.describe("org");
      deepEqual([after?.verdict, after?.checkedAtMs], [verdict, before?.checkedAtMs]);
      deepEqual(await readObserved(store), []);
    }
    const key = keyOf("org");
    await put(store, key);
    await store.noteCheck(checkOf(key, "invalid"));
    equal(await store.noteUse(useOf(key, "passed")), true);
    equal(await readVerdict(store), "passed");
  });

  testNoting(
    "leaves a secret alone that was replaced meanwhile, or is somebody else's",
    migrated,
    async (store, again) => {
      const first = keyOf("org");
      const second = keyOf("org");
      await put(store, first);
      await put(store, second);
      const uses = [
        useOf(first, "invalid"),
        { ...useOf(second, "invalid"), orgId: "other" },
        { ...useOf(second, "invalid"), provider: "xai" },
        { ...useOf(second, "invalid"), name: "second" },
      ];
      for (const use of uses) equal(await (await again()).noteUse(use), false);
      equal(await readVerdict(store), "skipped");
      await store.remove(refOf("org"), { actor: null });
      equal(await store.noteUse(useOf(second, "invalid")), false);
      deepEqual([(await readObserved(store)).length, (await store.describe("org")).length], [0, 0]);
    },
  );

  testNoting(
    "keeps one audit row of each secret and verdict, however often the key flaps",
    migrated,
    async (store, again) => {
      const key = { ...keyOf("org"), region: "eu", account, hint: "aaaa", actor: "ann" };
      await put(store, key);
      const handles = [store, await again()] as const;
      for (let round = 0; round < 6; round += 1) {
        for (const verdict of ["invalid", "passed", "exhausted"] as const) {
          equal(await handles[round % 2 === 0 ? 0 : 1].noteUse(useOf(key, verdict)), true);
          equal(await readVerdict(store), verdict);
        }
      }
      const common = { provider: "openai", name: "default", seq: null, actor: null, action: "observed", times: 1 };
      const facts = { secretId: key.secretId, previousSecretId: null, region: "eu", account, hint: "aaaa" };
      deepEqual(
        (await readObserved(store)).map(({ id: _id, atMs: _atMs, ...row }) => row),
        ["exhausted", "passed", "invalid"].map((verdict) => ({ ...common, ...facts, verdict })),
      );
      const next = keyOf("org");
      await put(store, next);
      await store.noteUse(useOf(next, "invalid"));
      const [newest, ...others] = await readObserved(store);
      deepEqual([newest?.secretId, newest?.account, others.length], [next.secretId, null, 3]);
    },
  );

  testNoting("writes nothing where what a call found out is known", migrated, async (store, again) => {
    const key = keyOf("org");
    await put(store, key);
    const other = await again();
    for (const verdict of ["exhausted", "passed"] as const) {
      await store.noteUse(useOf(key, verdict));
      const before = await store.describe("org");
      // Long enough for a time that is written anew to be another one.
      for (const start = Date.now(); Date.now() < start + 3; ) equal(await other.noteUse(useOf(key, verdict)), true);
      deepEqual(await store.describe("org"), before);
    }
    equal((await readObserved(store)).length, 2);
  });

  testNoting(
    "takes what many workers find out at once: one state, and one row of each",
    migrated,
    async (store, again) => {
      const key = keyOf("org");
      await put(store, key);
      const handles = [store, await again(), await again(), await again()];
      for (const verdicts of [["invalid"], ["invalid", "exhausted", "passed"]] as const) {
        const noted = await Promise.all(
          Array.from({ length: 40 }, async (_, at) => {
            const handle = handles[at % handles.length] ?? store;
            return await handle.noteUse(useOf(key, verdicts[at % verdicts.length] ?? "invalid"));
          }),
        );
        ok(noted.every(Boolean));
      }
      const rows = await readObserved(store);
      equal(new Set(rows.map(({ verdict }) => verdict)).size, rows.length);
      const last = await readVerdict(store);
      ok(rows.some(({ verdict }) => verdict === last));
      equal((await store.poll({ windowMs: 0 })).head, 1);
    },
  );
}
