import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { History } from "../../src/coherence/history.ts";
import { type LogPage, type LogRow, maxWindowRows } from "../../src/store/change-log.ts";

const moment = (ms: number) => ({ monotonicMs: ms, wallMs: ms });
const row = (seq: number, orgId: string, changeId = `m${seq}`): LogRow => ({ seq, orgId, changeId });
const page = (after: number, changes: readonly LogRow[], more: Partial<LogPage> = {}): LogPage => ({
  incarnation: "one",
  head: changes.at(-1)?.seq ?? after,
  headChangeId: changes.at(-1)?.changeId ?? `m${after}`,
  after,
  afterChangeId: `m${after}`,
  changes,
  ...more,
});
const ignore = (): void => {};
const apply = (history: History, read: LogPage, sentMs: number, nowMs: number, onChange: typeof ignore): string =>
  history.applyPage(read, { sentAt: moment(sentMs), generation: history.generation }, nowMs, onChange);
const started = (seq = 5): History => {
  const history = new History();
  apply(history, page(seq, []), 0, 0, ignore);
  return history;
};
const seqOf = ({ following }: History): number => following?.seq ?? -1;
const stamp = (history: History, orgId: string, asOf: number, incarnation = "one") => ({
  orgId,
  asOf,
  changeId: `m${asOf}`,
  incarnation,
  generation: history.generation,
});

describe("what a worker knows of the change log", () => {
  it("isAdmissible nothing before it has heard from the database", () => {
    const history = new History();
    expect(history.isAdmissible(stamp(history, "a", 9))).toBe(false);
  });

  it("refuses a snapshot that misses a change of its organisation, and only of its organisation", () => {
    const history = started();
    apply(history, page(5, [row(6, "a"), row(7, "b")]), 1, 0, ignore);
    expect(history.isAdmissible(stamp(history, "a", 5))).toBe(false);
    expect(history.isAdmissible(stamp(history, "a", 6))).toBe(true);
    expect(history.isAdmissible(stamp(history, "b", 6))).toBe(false);
    expect(history.isAdmissible(stamp(history, "c", 5))).toBe(true);
  });

  it("refuses a snapshot that shows another change id for a row that was read", () => {
    const history = started();
    expect(history.isAdmissible({ ...stamp(history, "a", 5), changeId: "other" })).toBe(false);
    expect(history.isAdmissible({ ...stamp(history, "a", 6), changeId: "other" })).toBe(true);
    apply(history, page(5, [row(6, "b")]), 1, 0, ignore);
    expect(history.isAdmissible({ ...stamp(history, "a", 6), changeId: "other" })).toBe(false);
    expect(history.hasRead(stamp(history, "a", 6))).toBe(true);
    expect(history.hasRead(stamp(history, "a", 7))).toBe(false);
  });

  it("refuses a snapshot of another incarnation, however new", () => {
    expect(started().isAdmissible(stamp(started(), "a", 99, "two"))).toBe(false);
  });

  it("refuses a snapshot older than one that was installed before", () => {
    const history = started();
    history.noteTaken({ orgId: "a", asOf: 9, changeId: "m9" }, 0);
    expect(history.isAdmissible(stamp(history, "a", 8))).toBe(false);
    expect(history.isAdmissible(stamp(history, "b", 8))).toBe(true);
  });

  it("refuses what an organisation's older state was before the worker started", () => {
    const history = started(5);
    expect(history.isAdmissible(stamp(history, "a", 4))).toBe(false);
  });

  it("knows another change id under its own number for another history, and drops everything", () => {
    const history = started();
    const before = stamp(history, "a", 9);
    expect(apply(history, page(5, [row(6, "a")], { afterChangeId: "other" }), 1, 0, ignore)).toBe("other_history");
    expect(history.isAdmissible(before)).toBe(false);
    expect(seqOf(history)).toBe(6);
  });

  it.each([
    ["a pruned row", { afterChangeId: null }, "other_history"],
    ["a head behind what was seen", { head: 3 }, "other_history"],
    ["another incarnation", { incarnation: "two" }, "other_incarnation"],
  ] as const)("drops everything at %s", (_name, difference, reason) => {
    const history = started();
    const { generation } = history;
    expect(apply(history, page(5, [], difference), 1, 0, ignore)).toBe(reason);
    expect(history.generation).toBe(generation + 1);
  });

  it("drops everything when the log has a gap", () => {
    const history = started();
    expect(apply(history, page(5, [row(6, "a"), row(8, "b")]), 1, 0, ignore)).toBe("other_history");
  });

  it("has no lease from a page that does not reach the head", () => {
    const history = started();
    expect(apply(history, page(5, [row(6, "a")], { head: 8 }), 9, 0, ignore)).toBe("more");
    expect(history.leaseStart).toEqual(moment(0));
  });

  it("begins its lease when the poll was sent", () => {
    const history = started();
    apply(history, page(5, []), 77, 0, ignore);
    expect(history.leaseStart).toEqual(moment(77));
  });

  it("never shortens its lease", () => {
    const history = started();
    apply(history, page(5, []), 77, 0, ignore);
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation, moment(50), 50);
    expect(history.leaseStart).toEqual(moment(77));
  });

  it("renews its lease from a snapshot that shows the head where it stands, and from no other", () => {
    const history = started();
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation, moment(40), 40);
    expect(history.leaseStart).toEqual(moment(40));
    history.observe({ incarnation: "one", asOf: 6, changeId: "m6" }, history.generation, moment(50), 50);
    history.observe({ incarnation: "one", asOf: 5, changeId: "other" }, history.generation, moment(60), 60);
    history.observe({ incarnation: "two", asOf: 5, changeId: "m5" }, history.generation, moment(70), 70);
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation - 1, moment(80), 80);
    expect(history.leaseStart).toEqual(moment(40));
    expect(seqOf(history)).toBe(5);
  });

  it("renews no lease from a snapshot that does not know of one that was taken in", () => {
    const history = started();
    history.noteTaken({ orgId: "a", asOf: 7, changeId: "m7" }, 20);
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation, moment(40), 40);
    expect(history.leaseStart).toEqual(moment(0));
  });

  it("doubts a read that began before another one of the organisation was taken in ahead of the log", () => {
    const history = started();
    history.noteTaken({ orgId: "a", asOf: 6, changeId: "m6" }, 20);
    expect(history.needsConfirmation(stamp(history, "a", 7), moment(15))).toBe(true);
    expect(history.needsConfirmation(stamp(history, "a", 7), moment(21))).toBe(false);
    expect(history.needsConfirmation(stamp(history, "b", 7), moment(15))).toBe(false);
    apply(history, page(5, [row(6, "a")]), 30, 40, ignore);
    expect(history.needsConfirmation(stamp(history, "a", 7), moment(41))).toBe(false);
  });

  it("begins anew with no snapshot whose read began before everything was forgotten", () => {
    const history = started();
    const { generation } = history;
    history.reset();
    history.observe({ incarnation: "one", asOf: 4, changeId: "m4" }, generation, moment(40), 40);
    expect(history.following !== undefined).toBe(false);
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation, moment(50), 50);
    expect(seqOf(history)).toBe(5);
  });

  it("doubts a snapshot ahead of the one that it began with, when both reads were under way", () => {
    const history = new History();
    history.observe({ incarnation: "one", asOf: 5, changeId: "m5" }, history.generation, moment(40), 50);
    expect(history.needsConfirmation(stamp(history, "a", 6), moment(45))).toBe(true);
    expect(history.needsConfirmation(stamp(history, "a", 5), moment(45))).toBe(false);
    expect(history.needsConfirmation(stamp(history, "a", 6), moment(51))).toBe(false);
  });

  it("ignores a page that another read has overtaken", () => {
    const history = started();
    expect(apply(history, page(3, [row(4, "a")]), 1, 0, ignore)).toBe("overtaken");
    expect(seqOf(history)).toBe(5);
  });

  it("takes what is news in a page that another read has overtaken", () => {
    const history = started();
    expect(apply(history, page(3, [row(4, "a"), row(5, "a"), row(6, "b")]), 1, 0, ignore)).toBe("current");
    expect([seqOf(history), history.fence("b")]).toEqual([6, 6]);
  });

  it("doubts a snapshot beyond the log when a page came while it was read", () => {
    const history = started();
    apply(history, page(5, []), 10, 20, ignore);
    expect(history.needsConfirmation(stamp(history, "a", 6), moment(15))).toBe(true);
    expect(history.needsConfirmation(stamp(history, "a", 6), moment(21))).toBe(false);
    expect(history.needsConfirmation(stamp(history, "a", 5), moment(15))).toBe(false);
  });

  it("knows a head below a snapshot that it took in before for another history, and asks again when it cannot tell", () => {
    const history = started();
    history.noteTaken({ orgId: "a", asOf: 7, changeId: "m7" }, 20);
    expect(apply(history, page(5, [row(6, "b")]), 20, 30, ignore)).toBe("behind");
    expect(apply(history, page(6, []), 21, 30, ignore)).toBe("other_history");
    expect(apply(history, page(6, []), 40, 50, ignore)).toBe("current");
  });

  it("forgets its oldest fences without admitting what they refused, and raises the floor no further than to them", () => {
    const history = started();
    apply(history, page(5, [row(6, "a"), row(7, "b"), row(8, "c"), row(9, "d")]), 1, 0, ignore);
    history.noteTaken({ orgId: "e", asOf: 11, changeId: "m11" }, 0);
    history.compact(2);
    expect([history.fenceCount, history.unconfirmedCount]).toEqual([2, 1]);
    const admitted = (orgId: string, asOf: number): boolean => history.isAdmissible(stamp(history, orgId, asOf));
    expect([admitted("a", 5), admitted("a", 6), admitted("a", 7)]).toEqual([false, false, true]);
    expect([admitted("c", 7), admitted("c", 8), admitted("d", 8), admitted("d", 9)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect([admitted("e", 10), admitted("e", 11)]).toEqual([false, true]);
    expect([admitted("f", 6), admitted("f", 7)]).toEqual([false, true]);
  });

  it("says of a snapshot that it is outdated by a change of its organisation, by the floor or by what is known of the log", () => {
    const history = started();
    apply(history, page(5, [row(6, "a"), row(7, "b")]), 1, 0, ignore);
    const outdated = (orgId: string, asOf: number, incarnation?: string): boolean =>
      history.isOutdated(stamp(history, orgId, asOf, incarnation));
    expect([outdated("a", 5), outdated("a", 6), outdated("c", 4), outdated("c", 5)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(outdated("a", 5, "two")).toBe(false);
    expect(new History().isOutdated(stamp(history, "a", 1))).toBe(false);
  });

  it("doubts a snapshot of a row that it has read over and does not know any more, or under another change id", () => {
    const history = started();
    const seqs = Array.from({ length: maxWindowRows + 1 }, (_, at) => 6 + at);
    apply(
      history,
      page(
        5,
        seqs.map((seq) => row(seq, "busy")),
      ),
      1,
      0,
      ignore,
    );
    expect(history.isAdmissible(stamp(history, "a", 6))).toBe(true);
    expect(history.needsConfirmation(stamp(history, "a", 6), moment(9))).toBe(true);
    expect(history.isOutdated(stamp(history, "a", 6))).toBe(true);
    expect(history.needsConfirmation(stamp(history, "a", 7), moment(9))).toBe(false);
    expect(history.needsConfirmation({ ...stamp(history, "a", 7), changeId: "other" }, moment(9))).toBe(true);
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
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(3), (steps, keep) => {
      const history = started();
      for (const one of steps) {
        if (one.kind === "learn")
          apply(history, page(seqOf(history), [row(seqOf(history) + 1, one.org)]), 1, 0, ignore);
        else if (history.isAdmissible(stamp(history, one.org, seqOf(history) + one.ahead))) {
          history.noteTaken(stamp(history, one.org, seqOf(history) + one.ahead), 0);
        }
      }
      const all = orgs.flatMap((org) => Array.from({ length: 45 }, (_, asOf) => stamp(history, org, asOf)));
      const before = all.map((stamped) => history.isAdmissible(stamped));
      history.compact(keep);
      for (const [index, stamped] of all.entries()) {
        if (!before[index]) expect(history.isAdmissible(stamped)).toBe(false);
        else
          expect(history.isAdmissible(stamp(history, stamped.orgId, Math.max(stamped.asOf, seqOf(history))))).toBe(
            true,
          );
      }
    }),
  );
});
