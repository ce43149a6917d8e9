import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { OpenedKeyStore, Test } from "./opened-key-store.ts";
import { account, checkOf, keyOf, one, put, refOf } from "./stored-samples.ts";

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

/** What a store owes to keys: it keeps them apart, replaces and removes them, and remembers who did it. */
export function keyContract<Opened extends OpenedKeyStore>(
  test: Test,
  open: () => Promise<Opened>,
  migrated: () => Promise<Opened>,
): void {
  test("does nothing before migrate() but say what to do", async () => {
    const { store } = await open();
    const unavailable = { code: "store_unavailable", message: /migrate\(\)/u };
    await rejects(store.snapshots(["org"]), unavailable);
    await rejects(store.poll({ windowMs: 0 }), unavailable);
    await rejects(store.put(keyOf("org")), unavailable);
    await rejects(store.remove(refOf("org"), { actor: null }), unavailable);
    await rejects(store.describe("org"), unavailable);
    await rejects(store.takePlaces([refOf("org")], randomUUID()), unavailable);
    await rejects(store.noteAttempt(refOf("org"), { actor: null }), unavailable);
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
    const { incarnation, asOf, changeId, keys } = await one(store, "unknown");
    ok(incarnation && changeId);
    deepEqual([asOf, keys], [0, []]);
  });

  test("gives back what was stored, to every handle, in the order that was asked for", async () => {
    const { store, again } = await migrated();
    const key = { ...keyOf("b"), region: "eu", account, hint: "abcd", actor: "ann" };
    const { seq, secretId, references } = await put(store, key);
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
    const { orgId: _orgId, hint: _hint, actor: _actor, verdict: _verdict, place: _place, ...sealed } = key;
    deepEqual({ ...snapshots[1]?.keys[0] }, sealed);
    const [record] = await store.describe("b");
    const { createdAtMs = 0, ...known } = { ...record };
    const facts = { hint: "abcd", createdBy: "ann", verdict: "skipped", checkedAtMs: null };
    deepEqual(known, { ...sealed, ...facts });
    ok(Math.abs(createdAtMs - Date.now()) < 86_400_000);
  });

  test("knows what a key works for in part, or not at all", async () => {
    const { store } = await migrated();
    const inPart = [{ ...account, organization: null }, { ...account, project: null }, null];
    for (const [at, part] of inPart.entries()) await put(store, { ...keyOf(`org-${at}`), account: part });
    const snapshots = await store.snapshots(["org-0", "org-1", "org-2"]);
    deepEqual(
      snapshots.map(({ keys }) => keys[0]?.account),
      inPart,
    );
    await put(store, keyOf("org-0"));
    deepEqual((await one(store, "org-0")).keys[0]?.account, null);
  });

  test("keeps hostile organisation ids apart", async () => {
    const { store } = await migrated();
    for (const orgId of hostileIds) await put(store, keyOf(orgId, "openai", `sealed-of-${orgId}`));
    const snapshots = await store.snapshots(hostileIds);
    deepEqual(
      snapshots.map(({ keys }) => keys.map(({ sealed }) => sealed)),
      hostileIds.map((id) => [`sealed-of-${id}`]),
    );
  });

  test("replaces: the old key is gone, one log row more", async () => {
    const { store } = await migrated();
    const first = keyOf("org");
    await put(store, first);
    const { seq, secretId } = await put(store, keyOf("org"));
    deepEqual([seq, secretId], [2, first.secretId]);
    equal((await one(store, "org")).keys.length, 1);
  });

  test("removes for good, and removing what is not there moves no clock", async () => {
    const { store } = await migrated();
    const key = keyOf("org");
    await put(store, key);
    const removed = await store.remove(refOf("org"), { actor: "ann" });
    deepEqual([removed.seq, removed.secretId, removed.references], [2, key.secretId, {}]);
    const again = await store.remove(refOf("org"), { actor: "ann" });
    deepEqual([again.seq, again.secretId], [2, null]);
    deepEqual([(await store.poll({ windowMs: 0 })).head, (await store.describe("org")).length], [2, 0]);
  });

  test("notes what a provider said of a key, and moves no clock; not of a key that was replaced", async () => {
    const { store, again } = await migrated();
    const first = { ...keyOf("org"), verdict: "passed" as const };
    await put(store, first);
    ok((await store.describe("org"))[0]?.checkedAtMs);
    equal(await (await again()).noteCheck(checkOf(first, "invalid")), true);
    const [checked] = await store.describe("org");
    deepEqual([checked?.verdict, (await one(store, "org")).asOf], ["invalid", 1]);
    const second = keyOf("org");
    await put(store, second);
    equal(await store.noteCheck(checkOf(first, "invalid")), false);
    equal(await store.noteCheck({ ...checkOf(second, "invalid"), orgId: "other" }), false);
    const [replaced] = await store.describe("org");
    deepEqual([replaced?.secretId, replaced?.verdict, replaced?.checkedAtMs], [second.secretId, "skipped", null]);
  });

  test("keeps an audit row of every change and check, and of nothing else, for its own organisation", async () => {
    const { store, again } = await migrated();
    const facts = { hint: "aaaa", region: "eu", actor: "ann", verdict: "passed" } as const;
    const first = { ...keyOf("org"), ...facts };
    const second = { ...keyOf("org"), account, hint: "bbbb", verdict: "unreachable" as const };
    await put(store, first);
    await put(store, keyOf("other"));
    await put(store, second);
    await store.noteCheck(checkOf(second, "passed", "cleo"));
    await store.remove(refOf("org"), { actor: "bob" });
    await store.remove(refOf("org"), { actor: "bob" });
    const rows = await (await again()).audit("org", { before: null, limit: 10 });
    const common = { provider: "openai", name: "default", region: null, account, times: 1, previousSecretId: null };
    const removed = { seq: 4, actor: "bob", action: "removed", secretId: null, verdict: null, hint: "bbbb" };
    const verified = { seq: null, actor: "cleo", action: "verified", verdict: "passed", hint: "bbbb" };
    const replaced = { seq: 3, actor: null, action: "replaced", verdict: "unreachable", hint: "bbbb" };
    const added = { seq: 1, actor: "ann", action: "added", verdict: "passed", hint: "aaaa" };
    deepEqual(
      rows.map(({ atMs: _atMs, id: _id, ...row }) => row),
      [
        { ...common, ...removed, previousSecretId: second.secretId },
        { ...common, ...verified, secretId: second.secretId },
        { ...common, ...replaced, secretId: second.secretId, previousSecretId: first.secretId },
        { ...common, ...added, secretId: first.secretId, region: "eu", account: null },
      ],
    );
    ok(rows.every(({ atMs }) => Math.abs(atMs - Date.now()) < 86_400_000));
    ok(rows.every(({ id }, at) => at === 0 || id < (rows[at - 1]?.id ?? 0)));
    ok(!JSON.stringify(rows).includes(first.sealed));
    const page = await store.audit("org", { before: null, limit: 3 });
    const next = await store.audit("org", { before: page.at(-1)?.id ?? 0, limit: 3 });
    deepEqual(
      [page, next].map((part) => part.map(({ seq }) => seq)),
      [[4, null, 3], [1]],
    );
    deepEqual(await store.audit("unknown", { before: null, limit: 2 }), []);
  });

  test("counts attempts: one audit row a minute, reference and actor, and no number", async () => {
    const { store, again } = await migrated();
    const other = await again();
    for (let at = 0; at < 20; at += 1)
      await (at % 2 === 0 ? store : other).noteAttempt(refOf("org"), { actor: "mallory" });
    await store.noteAttempt(refOf("org"), { actor: null });
    await store.noteAttempt(refOf("org", "xai"), { actor: null });
    const rows = await store.audit("org", { before: null, limit: 10 });
    // A minute may end meanwhile.
    ok(rows.length >= 3 && rows.length <= 6);
    ok(rows.every(({ action, seq, secretId }) => action === "attempted" && seq === null && secretId === null));
    const counted = rows.filter(({ actor }) => actor === "mallory").reduce((sum, { times }) => sum + times, 0);
    deepEqual([counted, (await store.poll({ windowMs: 0 })).head], [20, 0]);
  });

  test("finds nothing that its audit trail contradicts, whatever was changed", async () => {
    const { store } = await migrated();
    deepEqual(await store.findContradictions(10), []);
    for (const orgId of ["a", "b", "a"]) await put(store, keyOf(orgId));
    await store.remove(refOf("b"), { actor: null });
    await store.noteAttempt(refOf("c"), { actor: null });
    deepEqual(await store.findContradictions(10), []);
  });
}
