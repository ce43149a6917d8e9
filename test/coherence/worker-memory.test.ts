import { expect, it } from "vitest";
import { readMoment } from "../../src/coherence/moment.ts";
import type { OpenedSnapshot } from "../../src/coherence/opened-snapshot.ts";
import { WorkerMemory } from "../../src/coherence/worker-memory.ts";
import { type LogPage, maxWindowRows } from "../../src/store/change-log.ts";
import { ManualClock } from "../support/manual-clock.ts";

const clock = new ManualClock();
const page = (after: number, orgIds: readonly string[], more: Partial<LogPage> = {}): LogPage => {
  const changes = orgIds.map((orgId, index) => ({ seq: after + 1 + index, changeId: `m${after + 1 + index}`, orgId }));
  const head = after + orgIds.length;
  return { incarnation: "one", head, headChangeId: `m${head}`, after, afterChangeId: `m${after}`, changes, ...more };
};
/** `sentAfterMs`: 1 where it is asked for after all that was taken in so far, 0 where it cannot be told. */
const apply = (memory: WorkerMemory, read: LogPage, sentAfterMs = 1): string => {
  const { monotonicMs, wallMs } = readMoment(clock);
  const sentAt = { monotonicMs: monotonicMs + sentAfterMs, wallMs };
  return memory.applyPage(read, { sentAt, generation: memory.history.generation });
};
const started = (maxOrgs: number, seq = 5): WorkerMemory => {
  const memory = new WorkerMemory(clock, 10_000, maxOrgs);
  apply(memory, page(seq, []));
  return memory;
};
const snapshotOf = (memory: WorkerMemory, orgId: string, asOf: number): OpenedSnapshot => ({
  orgId,
  asOf,
  changeId: `m${asOf}`,
  incarnation: "one",
  generation: memory.history.generation,
  readAt: readMoment(clock),
  keys: new Map(),
  made: undefined,
});

it("takes no older snapshot than one that it has forgotten", () => {
  const memory = started(1);
  expect(memory.install(snapshotOf(memory, "a", 9))).toBe(true);
  expect(memory.install(snapshotOf(memory, "b", 9))).toBe(true);
  expect(memory.find("a")).toBeUndefined();
  expect(memory.install(snapshotOf(memory, "a", 8))).toBe(false);
  expect(memory.install(snapshotOf(memory, "a", 9))).toBe(true);
});

it("bounds its fences, and still hands out what they admit and refuses what they refuse", () => {
  const memory = started(3);
  memory.install(snapshotOf(memory, "kept", 5));
  const old = snapshotOf(memory, "org-0", 5);
  apply(
    memory,
    page(
      5,
      Array.from({ length: 50 }, (_, index) => `org-${index}`),
    ),
  );
  expect(memory.history.fenceCount).toBeLessThanOrEqual(6);
  const kept = memory.find("kept");
  expect(kept !== undefined && memory.isFresh(kept)).toBe(true);
  expect(memory.install(old)).toBe(false);
});

it("drops everything with the history that it came from", () => {
  const memory = started(3);
  memory.install(snapshotOf(memory, "a", 5));
  expect(apply(memory, page(5, [], { afterChangeId: "other" }))).toBe("other_history");
  expect(memory.size).toBe(0);
});

it("drops a snapshot that the log has shown to be of a lost history, before its change id is forgotten", () => {
  const memory = started(3);
  expect(memory.install({ ...snapshotOf(memory, "a", 8), changeId: "of-a-lost-history" })).toBe(true);
  expect(apply(memory, page(5, ["x", "x", "x", "x"]))).toBe("current");
  expect(memory.size).toBe(0);
});

it("drops everything at a page that may be older than a snapshot of which it does not have the row", () => {
  const memory = started(3);
  const held = snapshotOf(memory, "a", 5);
  memory.install(held);
  memory.install({ ...snapshotOf(memory, "a", 8), changeId: "of-another-history" });
  expect(memory.admits(held)).toBe(false);
  expect(apply(memory, page(5, ["x", "x", "x", "x"]), 0)).toBe("contradicted");
  expect([memory.size, memory.admits(held), memory.leaseLeftMs()]).toEqual([0, false, 0]);
  apply(memory, page(9, []));
  expect([memory.admits(held), memory.install(snapshotOf(memory, "a", 9))]).toEqual([false, true]);
});

it("drops nothing at a page that has the rows of all snapshots, whenever it was asked for", () => {
  const memory = started(3);
  memory.install(snapshotOf(memory, "a", 8));
  expect(apply(memory, page(5, ["x", "x", "x", "x"]), 0)).toBe("current");
  expect(memory.size).toBe(1);
});

it("drops everything when two pages contradict each other, and what was read under the earlier history", () => {
  const memory = started(3);
  memory.install(snapshotOf(memory, "a", 5));
  const underWay = snapshotOf(memory, "b", 5);
  const contradicting = { ...page(3, ["x", "x", "x"]), changes: [{ seq: 5, changeId: "other", orgId: "x" }] };
  expect(apply(memory, contradicting)).toBe("contradicted");
  expect([memory.size, memory.history.following !== undefined, memory.leaseLeftMs()]).toEqual([0, false, 0]);
  apply(memory, page(5, []));
  expect(memory.install(underWay)).toBe(false);
  expect(memory.install(snapshotOf(memory, "b", 5))).toBe(true);
});

it("takes in no page that was asked for before everything was dropped", () => {
  const memory = started(3);
  const { generation } = memory.history;
  expect(apply(memory, page(5, [], { afterChangeId: "other" }))).toBe("other_history");
  expect(memory.applyPage(page(5, ["x"]), { sentAt: readMoment(clock), generation })).toBe("overtaken");
});

it("bounds its fences also while snapshots are read and the log is not", () => {
  const memory = started(3);
  for (let org = 0; org < 50; org += 1) {
    const next = snapshotOf(memory, `org-${org}`, 10 + org);
    memory.history.observe(next, next.generation, readMoment(clock), clock.monotonicMs());
    memory.install(next);
    expect(memory.history.unconfirmedCount).toBeLessThanOrEqual(6);
    expect(memory.install({ ...snapshotOf(memory, `org-${org}`, 9 + org) })).toBe(false);
  }
});

it("tells those that watch once the log is read again, when everything was forgotten meanwhile", () => {
  const memory = started(1);
  let told = 0;
  memory.watch("a", () => {
    told += 1;
  });
  for (const org of ["b", "c", "d"]) memory.install(snapshotOf(memory, org, 9));
  expect([memory.history.following, told]).toEqual([undefined, 0]);
  expect(apply(memory, page(20, ["x"], { head: 22 }))).toBe("more");
  expect([told, apply(memory, page(21, ["x"])), told]).toEqual([0, "current", 1]);
  expect([apply(memory, page(22, ["x"])), told]).toEqual(["current", 1]);
});

it("needs no fence of its own for what the log has shown, and forgets those that it had until then", () => {
  const memory = started(3, 9);
  for (const asOf of [9, 10, 11]) expect(memory.install(snapshotOf(memory, `org-${asOf}`, asOf))).toBe(true);
  expect([memory.history.fenceCount, memory.history.unconfirmedCount]).toEqual([0, 2]);
  expect(memory.install(snapshotOf(memory, "org-11", 10))).toBe(false);
  expect(apply(memory, page(9, ["x"], { head: 11 }))).toBe("more");
  expect(memory.install(snapshotOf(memory, "org-11", 10))).toBe(false);
  expect(apply(memory, page(10, ["y"]))).toBe("current");
  expect([memory.history.fenceCount, memory.history.unconfirmedCount]).toEqual([2, 0]);
  expect(memory.install(snapshotOf(memory, "org-11", 10))).toBe(true);
});

it("does not admit what a call still holds of a lost history, however long after its change id was forgotten", () => {
  const memory = started(3);
  const lost = { ...snapshotOf(memory, "a", 7), changeId: "of-a-lost-history" };
  const held = snapshotOf(memory, "b", 6);
  expect([memory.install(lost), memory.install(held)]).toEqual([true, true]);
  const busy = Array.from({ length: 4 }, () => "x");
  expect(apply(memory, page(5, busy))).toBe("current");
  for (const orgId of ["c", "d", "e"]) memory.install(snapshotOf(memory, orgId, 9));
  expect([memory.admits(lost), memory.admits(held)]).toEqual([false, true]);
  apply(
    memory,
    page(
      9,
      Array.from({ length: maxWindowRows }, () => "x"),
    ),
  );
  expect([memory.admits(lost), memory.admits(held)]).toEqual([false, false]);
});
