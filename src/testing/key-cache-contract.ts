import { deepEqual, equal, ok } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { ChangeNotice, KeyCache } from "../shared-cache/key-cache.ts";
import type { Test } from "./opened-key-store.ts";

/** What every `KeyCache` owes, as tests for any runner. `open` gives an empty cache, `again` another worker's on the same. */
export function keyCacheContract(
  test: Test,
  open: () => Promise<{ readonly cache: KeyCache; again(): Promise<KeyCache> }>,
): void {
  test("has no entry until one is set, and gives it back byte for byte to every worker", async () => {
    const { cache, again } = await open();
    equal(await cache.get("org"), undefined);
    const entry = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await cache.set("org", entry);
    deepEqual(Buffer.from((await (await again()).get("org")) ?? []), Buffer.from(entry));
    equal(await cache.get("other"), undefined);
  });

  test("replaces an entry, and keeps organisations of hostile ids apart", async () => {
    const { cache } = await open();
    const ids = ["a", "a:b", "b", "{a}", "*", "🐘", "x".repeat(255)];
    for (const id of ids) await cache.set(id, Buffer.from("old"));
    for (const id of ids) await cache.set(id, Buffer.from(`of ${id}`));
    for (const id of ids) equal(Buffer.from((await cache.get(id)) ?? []).toString(), `of ${id}`);
  });

  test("forgets an entry that is invalidated, and tells every subscriber, itself included", async () => {
    const { cache, again } = await open();
    const [own, others]: ChangeNotice[][] = [[], []];
    const other = await again();
    const subscriptions = [
      cache.subscribe((notice) => own?.push(notice)),
      other.subscribe((notice) => others?.push(notice)),
    ];
    await cache.set("org", Buffer.from("entry"));
    for (let seq = 1; (own?.length ?? 0) === 0 || (others?.length ?? 0) === 0; seq += 1) {
      ok(seq < 500, "No notice has come.");
      await cache.invalidate({ orgId: "org", seq });
      await pause(10);
    }
    equal(await other.get("org"), undefined);
    equal(others?.[0]?.orgId, "org");
    await cache.invalidate({ orgId: "a:b", seq: null });
    for (let turn = 0; !others?.some(({ seq }) => seq === null); turn += 1) {
      ok(turn < 500, "No notice without a number has come.");
      await pause(10);
    }
    await cache.set("org", Buffer.from("entry"));
    await cache.invalidate({ orgId: null, firstSeq: 7, seq: 9 });
    for (let turn = 0; !others?.some(({ orgId }) => orgId === null); turn += 1) {
      ok(turn < 500, "No notice of a batch has come.");
      await pause(10);
    }
    deepEqual(
      others?.find(({ orgId }) => orgId === null),
      { orgId: null, firstSeq: 7, seq: 9 },
    );
    ok(await other.get("org"), "A notice of several organisations forgot an entry.");
    for (const subscription of subscriptions) subscription.close();
  });
}
