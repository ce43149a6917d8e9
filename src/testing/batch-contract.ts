import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { PlacedKey } from "../store/key-change.ts";
import { type KeyStore, maxBatchKeys } from "../store/key-store.ts";
import type { SealedKey } from "../store/sealed-key.ts";
import type { OpenedKeyStore, Test } from "./opened-key-store.ts";
import { account, keyOf, one, put, refOf, takePlace } from "./stored-samples.ts";

/** Keys whose places were taken in one step, as an import does. */
async function placed(store: KeyStore, orgIds: readonly string[]): Promise<PlacedKey[]> {
  const place = randomUUID();
  await store.takePlaces(
    orgIds.map((orgId) => refOf(orgId)),
    place,
  );
  return orgIds.map((orgId) => ({ ...keyOf(orgId), place }));
}

/** What a snapshot shows of a key. */
const sealedOf = (key: PlacedKey | undefined): Partial<SealedKey> => {
  const { provider, name, secretId, region, account, kid, sealed } = { ...key };
  return { provider, name, secretId, region, account, kid, sealed } as Partial<SealedKey>;
};

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** What a store owes to batches: each key as if it were alone, and all of them in one step. */
export function batchContract<Opened extends OpenedKeyStore>(test: Test, migrated: () => Promise<Opened>): void {
  test("stores a full batch in one step: numbers that follow each other, a log row and an audit row of each", async () => {
    const { store } = await migrated();
    await put(store, keyOf("org-3"));
    const orgIds = numbers(0, maxBatchKeys - 1).map((at) => `org-${at}`);
    const keys = (await placed(store, orgIds)).map((key, at) => (at === 3 ? { ...key, account } : key));
    const stored = await store.putMany(keys);
    deepEqual(
      stored.map((change) => change?.seq),
      numbers(2, maxBatchKeys + 1),
    );
    deepEqual(stored.map((change) => typeof change?.secretId).indexOf("string"), 3);
    const page = await store.poll({ after: 1 });
    deepEqual(
      page.changes.map(({ seq, orgId }) => [seq, orgId]),
      orgIds.map((orgId, at) => [at + 2, orgId]),
    );
    equal(new Set(page.changes.map(({ changeId }) => changeId)).size, maxBatchKeys);
    deepEqual((await one(store, "org-3")).keys[0], sealedOf(keys[3]));
    deepEqual((await one(store, "org-4")).keys[0], sealedOf(keys[4]));
    const [replaced, ...rest] = await store.audit("org-3", { before: null, limit: 9 });
    deepEqual([replaced?.action, replaced?.seq, replaced?.secretId], ["replaced", 5, keys[3]?.secretId]);
    deepEqual([replaced?.account, rest[0]?.account], [account, null]);
    deepEqual([rest.length, rest[0]?.action], [1, "added"]);
    deepEqual((await store.describe("org-7"))[0]?.secretId, keys[7]?.secretId);
  });

  test("reads what is stored as a batch takes its places, in the order that was asked for", async () => {
    const { store } = await migrated();
    const key = { ...keyOf("b"), region: "eu", account };
    await put(store, key);
    const refs = ["c", "b", "a"].map((orgId) => refOf(orgId));
    const stored = await store.takePlaces(refs, randomUUID());
    deepEqual(
      stored.map((reference) => reference && { ...reference }),
      [null, { secretId: key.secretId, region: "eu", account }, null],
    );
    equal((await store.poll({ windowMs: 0 })).head, 1);
  });

  test("stores all of a batch but what was overtaken, and knows its own success again", async () => {
    const { store, again } = await migrated();
    const keys = await placed(store, ["a", "b", "c"]);
    await (await again()).remove(refOf("b"), { actor: null });
    const first = await store.putMany(keys);
    deepEqual(
      first.map((change) => change?.seq),
      [1, undefined, 2],
    );
    await takePlace(store, refOf("c"), randomUUID());
    const repeated = await (await again()).putMany(keys);
    deepEqual(
      repeated.map((change) => change?.seq),
      [1, undefined, 2],
    );
    deepEqual((await one(store, "b")).keys, []);
    equal((await store.poll({ windowMs: 0 })).head, 2);
  });

  test("ends racing batches of the same keys in opposite orders, and one of them stands whole", async () => {
    const { store, again } = await migrated();
    const orgIds = numbers(0, 39).map((at) => `org-${at}`);
    const handles = [store, await again(), await again()];
    const batches = await Promise.all(
      numbers(0, 11).map(async (turn) => {
        const handle = handles[turn % 3] ?? store;
        const keys = await placed(handle, turn % 2 === 0 ? orgIds : [...orgIds].reverse());
        const stored = await handle.putMany(keys);
        return { keys, stored };
      }),
    );
    const left = new Map<string, string | undefined>();
    for (const orgId of orgIds) left.set(orgId, (await one(store, orgId)).keys[0]?.secretId);
    ok(
      batches.some(({ keys, stored }) =>
        stored.every((change, at) => change && left.get(keys[at]?.orgId ?? "") === keys[at]?.secretId),
      ),
    );
    const stored = batches.flatMap((batch) => batch.stored.filter((change) => change !== undefined));
    deepEqual(
      stored.map(({ seq }) => seq).sort((a, b) => a - b),
      numbers(1, stored.length),
    );
    equal((await store.poll({ windowMs: 0 })).head, stored.length);
  });
}
