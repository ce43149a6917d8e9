import { describe, expect, it } from "vitest";
import { type LogCursor, type LogPage, maxLogRows, maxWindowRows } from "../../src/store/change-log.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { idleCache } from "../support/idle-cache.ts";
import { agent, platform } from "../support/worker.ts";

const million = 1_000_000;
/** Three times what a worker keeps of the log. */
const many = 3 * maxWindowRows;
/** A worker that has a cache reads the log back as far as the cache's entries live. */
const hourLong = idleCache({ maxAgeMs: 3_600_000 });

/** A store whose log goes on, behind what is stored in it, by `longer` changes of as many organisations. */
function longerBy(store: KeyStore, longer: { rows: number }): KeyStore {
  const row = (seq: number, stored: LogPage) =>
    stored.changes.find((one) => one.seq === seq) ?? { seq, changeId: `m${seq}`, orgId: `org-${seq}` };
  return {
    ...store,
    async poll(cursor: LogCursor) {
      const stored = await store.poll({ after: 0 });
      const head = stored.head + longer.rows;
      const after = "after" in cursor ? cursor.after : Math.max(0, head - maxWindowRows);
      const length = Math.min(maxLogRows, head - after);
      const changes = Array.from({ length }, (_, at) => row(after + 1 + at, stored));
      const afterChangeId = after === 0 ? stored.afterChangeId : row(after, stored).changeId;
      const headChangeId = head === 0 ? stored.headChangeId : row(head, stored).changeId;
      return { incarnation: stored.incarnation, head, headChangeId, after, afterChangeId, changes };
    },
    async snapshots(orgIds) {
      const stored = await store.poll({ after: 0 });
      const asOf = stored.head + longer.rows;
      const changeId = asOf === 0 ? stored.headChangeId : row(asOf, stored).changeId;
      return (await store.snapshots(orgIds)).map((snapshot) => ({ ...snapshot, asOf, changeId }));
    },
  };
}

describe("changes of as many organisations", () => {
  it("that a worker starts behind, a million of them, are read back as far as it keeps them, and then it is ready", async () => {
    const { store, worker } = await platform();
    await using here = worker({ cache: hourLong, store: longerBy(store, { rows: million }) });
    await here.resolver.ready();
    expect(here.resolver.health()).toMatchObject({ isReady: true, feed: { lastSeq: million, head: million } });
    expect((await here.resolver.resolve("org", agent)).llm.source).toBe("platform");
  });

  it("while a worker runs leave it what they have not touched, and no removed key", async () => {
    const { store, manager, worker } = await platform();
    const longer = { rows: 0 };
    await manager.set("kept", { provider: "ada", apiKey: "key-of-kept" });
    await manager.set("removed", { provider: "ada", apiKey: "key-of-removed" });
    await using here = worker({ cache: hourLong, store: longerBy(store, longer) });
    await here.resolver.resolve("kept", agent);
    await here.resolver.resolve("removed", agent);
    await manager.remove("removed", { provider: "ada" });
    longer.rows = many;
    await here.clock.advance(3_000);
    expect(here.resolver.health()).toMatchObject({ isReady: true, feed: { lastSeq: many + 3 } });
    expect(here.events.filter(({ type }) => type === "flushed" || type === "poll_failed")).toEqual([]);
    here.events.length = 0;
    expect((await here.resolver.resolve("kept", agent)).llm.credential.key.reveal()).toBe("key-of-kept");
    expect(here.events).toContainEqual({ type: "snapshot_used", orgId: "kept", from: "memory" });
    expect((await here.resolver.resolve("removed", agent)).llm.source).toBe("platform");
  });
});
