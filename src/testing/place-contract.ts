import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { OpenedKeyStore, Test } from "./opened-key-store.ts";
import { account, keyOf, one, put, refOf, takePlace } from "./stored-samples.ts";

/** What a store owes to the order of changes: who asked last wins, and not who arrives last. */
export function placeContract<Opened extends OpenedKeyStore>(test: Test, migrated: () => Promise<Opened>): void {
  test("stores nothing for a place that a later change has taken, on another handle too", async () => {
    const { store, again } = await migrated();
    const other = await again();
    const [older, newer] = [randomUUID(), randomUUID()];
    equal(await takePlace(store, refOf("org"), older), null);
    equal(await takePlace(other, refOf("org"), newer), null);
    const first = keyOf("org");
    await put(other, { ...first, place: newer });
    equal(await store.put({ ...keyOf("org"), place: older }), undefined);
    deepEqual((await one(store, "org")).keys[0]?.secretId, first.secretId);
    deepEqual((await store.poll({ windowMs: 0 })).head, 1);
  });

  test("lets a removal overtake an older save, also one that finds nothing", async () => {
    const { store, again } = await migrated();
    const place = randomUUID();
    await takePlace(store, refOf("org"), place);
    const removed = await (await again()).remove(refOf("org"), { actor: null });
    deepEqual([removed.seq, removed.secretId], [0, null]);
    equal(await store.put({ ...keyOf("org"), place }), undefined);
    deepEqual((await one(store, "org")).keys, []);
  });

  test("reads what is stored as it takes a place, and moves no clock", async () => {
    const { store } = await migrated();
    const key = { ...keyOf("org"), region: "eu", account };
    await put(store, key);
    const stored = await takePlace(store, refOf("org"), randomUUID());
    deepEqual({ ...stored }, { secretId: key.secretId, region: "eu", account });
    equal(await takePlace(store, refOf("other"), randomUUID()), null);
    deepEqual([(await one(store, "org")).asOf, (await store.audit("org", { before: null, limit: 9 })).length], [1, 1]);
  });

  test("knows its own success again: a put that is repeated writes nothing, even when it was overtaken since", async () => {
    const { store, again } = await migrated();
    const place = randomUUID();
    await takePlace(store, refOf("org"), place);
    const key = { ...keyOf("org"), place };
    const { seq } = await put(store, key);
    await takePlace(store, refOf("org"), randomUUID());
    const repeated = await put(await again(), key);
    deepEqual([repeated.seq, repeated.references], [seq, { openai: key.secretId }]);
    deepEqual(
      [(await store.poll({ windowMs: 0 })).head, (await store.audit("org", { before: null, limit: 9 })).length],
      [1, 1],
    );
  });

  test("keeps places and keys of other names and providers apart", async () => {
    const { store } = await migrated();
    const place = randomUUID();
    await takePlace(store, refOf("org"), place);
    await takePlace(store, refOf("org", "xai"), randomUUID());
    await takePlace(store, refOf("org", "openai", "second"), randomUUID());
    const second = { ...keyOf("org"), name: "second" };
    const changed = await put(store, second);
    deepEqual(changed.references, {});
    const first = { ...keyOf("org"), place };
    deepEqual((await put(store, first)).references, { openai: first.secretId });
    const { keys } = await one(store, "org");
    deepEqual(
      new Set(keys.map(({ name, secretId }) => `${name} ${secretId}`)),
      new Set([`default ${first.secretId}`, `second ${second.secretId}`]),
    );
    await store.remove(refOf("org", "openai", "second"), { actor: null });
    deepEqual(
      (await one(store, "org")).keys.map(({ name }) => name),
      ["default"],
    );
  });

  test("of fifty racing changes through two handles the one that took the last place stands, and all agree on it", async () => {
    const { store, again } = await migrated();
    const handles = [store, await again()];
    const places: string[] = [];
    const racing = Array.from({ length: 50 }, async (_, at) => {
      const handle = handles[at % 2] ?? store;
      if (at % 5 === 4) return await handle.remove(refOf("org"), { actor: null });
      const place = randomUUID();
      await takePlace(handle, refOf("org"), place);
      places.push(place);
      return await handle.put({ ...keyOf("org"), place });
    });
    const changes = (await Promise.all(racing)).filter((change) => change !== undefined);
    const { keys, asOf } = await one(store, "org");
    const [last] = (await store.audit("org", { before: null, limit: 100 })).filter(({ seq }) => seq === asOf);
    const rows = await store.poll({ after: 0 });
    deepEqual(
      rows.changes.map(({ seq }) => seq),
      Array.from({ length: asOf }, (_, at) => at + 1),
    );
    deepEqual(
      keys.map(({ secretId }) => secretId),
      last?.secretId == null ? [] : [last.secretId],
    );
    ok(changes.every(({ seq }) => seq <= asOf));
  });
}
