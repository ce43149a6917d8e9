import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { History } from "../../src/coherence/history.ts";
import type { LogPage, LogRow } from "../../src/store/key-store.ts";

const moment = (ms: number) => ({ monotonicMs: ms, wallMs: ms });
const row = (seq: number, orgId: string, mark = `m${seq}`): LogRow => ({ seq, orgId, mark });
const page = (after: number, changes: readonly LogRow[], more: Partial<LogPage> = {}): LogPage => ({
  incarnation: "one",
  head: changes.at(-1)?.seq ?? after,
  headMark: changes.at(-1)?.mark ?? `m${after}`,
  after,
  afterMark: `m${after}`,
  changes,
  ...more,
});
const ignore = (): void => {};
const learn = (history: History, read: LogPage, sentMs: number, nowMs: number, onChange: typeof ignore): string =>
  history.learn(read, { sentAt: moment(sentMs), generation: history.generation }, nowMs, onChange);
const started = (seq = 5): History => {
  const history = new History();
  learn(history, page(seq, []), 0, 0, ignore);
  return history;
};
const stamp = (history: History, orgId: string, snap: number, incarnation = "one") => ({
  orgId,
  snap,
  mark: `m${snap}`,
  incarnation,
  generation: history.generation,
});

describe("what a worker knows of the change log", () => {
  it("admits nothing before it has heard from the database", () => {
    const history = new History();
    expect(history.admits(stamp(history, "a", 9))).toBe(false);
  });

  it("refuses a snapshot that misses a change of its organisation, and only of its organisation", () => {
    const history = started();
    learn(history, page(5, [row(6, "a"), row(7, "b")]), 1, 0, ignore);
    expect(history.admits(stamp(history, "a", 5))).toBe(false);
    expect(history.admits(stamp(history, "a", 6))).toBe(true);
    expect(history.admits(stamp(history, "b", 6))).toBe(false);
    expect(history.admits(stamp(history, "c", 5))).toBe(true);
  });

  it("refuses a snapshot that shows another mark for a row that was read", () => {
    const history = started();
    expect(history.admits({ ...stamp(history, "a", 5), mark: "other" })).toBe(false);
    expect(history.admits({ ...stamp(history, "a", 6), mark: "other" })).toBe(true);
    learn(history, page(5, [row(6, "b")]), 1, 0, ignore);
    expect(history.admits({ ...stamp(history, "a", 6), mark: "other" })).toBe(false);
    expect(history.hasRead(stamp(history, "a", 6))).toBe(true);
    expect(history.hasRead(stamp(history, "a", 7))).toBe(false);
  });

  it("refuses a snapshot of another incarnation, however new", () => {
    expect(started().admits(stamp(started(), "a", 99, "two"))).toBe(false);
  });

  it("refuses a snapshot older than one that was installed before", () => {
    const history = started();
    history.raiseFence("a", 9);
    expect(history.admits(stamp(history, "a", 8))).toBe(false);
  });

  it("refuses what an organisation's older state was before the worker started", () => {
    const history = started(5);
    expect(history.admits(stamp(history, "a", 4))).toBe(false);
  });

  it("knows another mark under its own number for another history, and drops everything", () => {
    const history = started();
    const before = stamp(history, "a", 9);
    expect(learn(history, page(5, [row(6, "a")], { afterMark: "other" }), 1, 0, ignore)).toBe("other_history");
    expect(history.admits(before)).toBe(false);
    expect(history.lastSeq).toBe(6);
  });

  it.each([
    ["a pruned row", { afterMark: null }, "other_history"],
    ["a head behind what was seen", { head: 3 }, "other_history"],
    ["another incarnation", { incarnation: "two" }, "other_incarnation"],
  ] as const)("drops everything at %s", (_name, difference, reason) => {
    const history = started();
    const { generation } = history;
    expect(learn(history, page(5, [], difference), 1, 0, ignore)).toBe(reason);
    expect(history.generation).toBe(generation + 1);
  });

  it("drops everything when the log has a gap", () => {
    const history = started();
    expect(learn(history, page(5, [row(6, "a"), row(8, "b")]), 1, 0, ignore)).toBe("other_history");
  });

  it("has no lease from a page that does not reach the head", () => {
    const history = started();
    expect(learn(history, page(5, [row(6, "a")], { head: 8 }), 9, 0, ignore)).toBe("more");
    expect(history.heardAt).toEqual(moment(0));
  });

  it("begins its lease when the poll was sent", () => {
    const history = started();
    learn(history, page(5, []), 77, 0, ignore);
    expect(history.heardAt).toEqual(moment(77));
  });

  it("never shortens its lease", () => {
    const history = started();
    learn(history, page(5, []), 77, 0, ignore);
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation, moment(50), 50);
    expect(history.heardAt).toEqual(moment(77));
  });

  it("renews its lease from a snapshot that shows the head where it stands, and from no other", () => {
    const history = started();
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation, moment(40), 40);
    expect(history.heardAt).toEqual(moment(40));
    history.hear({ incarnation: "one", snap: 6, mark: "m6" }, history.generation, moment(50), 50);
    history.hear({ incarnation: "one", snap: 5, mark: "other" }, history.generation, moment(60), 60);
    history.hear({ incarnation: "two", snap: 5, mark: "m5" }, history.generation, moment(70), 70);
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation - 1, moment(80), 80);
    expect(history.heardAt).toEqual(moment(40));
    expect(history.lastSeq).toBe(5);
  });

  it("renews no lease from a snapshot that does not know of one that was taken in", () => {
    const history = started();
    history.noteAhead({ orgId: "a", snap: 7 }, 20);
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation, moment(40), 40);
    expect(history.heardAt).toEqual(moment(0));
  });

  it("doubts a read that began before another one of the organisation was taken in ahead of the log", () => {
    const history = started();
    history.noteAhead({ orgId: "a", snap: 6 }, 20);
    expect(history.isDoubtful({ orgId: "a", snap: 7 }, moment(15))).toBe(true);
    expect(history.isDoubtful({ orgId: "a", snap: 7 }, moment(21))).toBe(false);
    expect(history.isDoubtful({ orgId: "b", snap: 7 }, moment(15))).toBe(false);
    learn(history, page(5, [row(6, "a")]), 30, 40, ignore);
    expect(history.isDoubtful({ orgId: "a", snap: 7 }, moment(41))).toBe(false);
  });

  it("begins anew with no snapshot whose read began before everything was forgotten", () => {
    const history = started();
    const { generation } = history;
    history.forget();
    history.hear({ incarnation: "one", snap: 4, mark: "m4" }, generation, moment(40), 40);
    expect(history.isStarted).toBe(false);
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation, moment(50), 50);
    expect(history.lastSeq).toBe(5);
  });

  it("doubts a snapshot ahead of the one that it began with, when both reads were under way", () => {
    const history = new History();
    history.hear({ incarnation: "one", snap: 5, mark: "m5" }, history.generation, moment(40), 50);
    expect(history.isDoubtful({ orgId: "a", snap: 6 }, moment(45))).toBe(true);
    expect(history.isDoubtful({ orgId: "a", snap: 5 }, moment(45))).toBe(false);
    expect(history.isDoubtful({ orgId: "a", snap: 6 }, moment(51))).toBe(false);
  });

  it("ignores a page that another read has overtaken", () => {
    const history = started();
    expect(learn(history, page(3, [row(4, "a")]), 1, 0, ignore)).toBe("overtaken");
    expect(history.lastSeq).toBe(5);
  });

  it("takes what is news in a page that another read has overtaken", () => {
    const history = started();
    expect(learn(history, page(3, [row(4, "a"), row(5, "a"), row(6, "b")]), 1, 0, ignore)).toBe("current");
    expect([history.lastSeq, history.fence("b")]).toEqual([6, 6]);
  });

  it("doubts a snapshot beyond the log when a page came while it was read", () => {
    const history = started();
    learn(history, page(5, []), 10, 20, ignore);
    expect(history.isDoubtful({ orgId: "a", snap: 6 }, moment(15))).toBe(true);
    expect(history.isDoubtful({ orgId: "a", snap: 6 }, moment(21))).toBe(false);
    expect(history.isDoubtful({ orgId: "a", snap: 5 }, moment(15))).toBe(false);
  });

  it("knows a head below a snapshot that it took in before for another history, and asks again when it cannot tell", () => {
    const history = started();
    history.noteAhead({ orgId: "a", snap: 7 }, 20);
    expect(learn(history, page(5, [row(6, "b")]), 20, 30, ignore)).toBe("behind");
    expect(learn(history, page(6, []), 21, 30, ignore)).toBe("other_history");
    expect(learn(history, page(6, []), 40, 50, ignore)).toBe("current");
  });

  it("forgets fences below the floor without admitting what they refused", () => {
    const history = started();
    learn(history, page(5, [row(6, "a")]), 1, 0, ignore);
    history.raiseFence("b", 9);
    history.compact();
    expect(history.fenceCount).toBe(1);
    expect(history.admits(stamp(history, "a", 5))).toBe(false);
    expect(history.admits(stamp(history, "b", 8))).toBe(false);
    expect(history.admits(stamp(history, "c", 6))).toBe(true);
  });
});

it("compaction admits nothing that was refused before it, and refuses no snapshot that is restamped", () => {
  const orgs = ["a", "b", "c", "d"];
  const step = fc.oneof(
    fc.record({ kind: fc.constant("learn" as const), org: fc.constantFrom(...orgs) }),
    fc.record({
      kind: fc.constant("install" as const),
      org: fc.constantFrom(...orgs),
      ahead: fc.integer({ min: -3, max: 3 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const history = started();
      for (const one of steps) {
        if (one.kind === "learn")
          learn(history, page(history.lastSeq, [row(history.lastSeq + 1, one.org)]), 1, 0, ignore);
        else if (history.admits(stamp(history, one.org, history.lastSeq + one.ahead))) {
          history.raiseFence(one.org, history.lastSeq + one.ahead);
        }
      }
      const all = orgs.flatMap((org) => Array.from({ length: 45 }, (_, snap) => stamp(history, org, snap)));
      const before = all.map((stamped) => history.admits(stamped));
      history.compact();
      for (const [index, stamped] of all.entries()) {
        if (!before[index]) expect(history.admits(stamped)).toBe(false);
        else expect(history.admits(stamp(history, stamped.orgId, Math.max(stamped.snap, history.lastSeq)))).toBe(true);
      }
    }),
  );
});
