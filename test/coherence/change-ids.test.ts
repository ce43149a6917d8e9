import { describe, expect, it } from "vitest";
import { ChangeIds } from "../../src/coherence/change-ids.ts";
import { maxWindowRows } from "../../src/store/change-log.ts";

const readFrom = (first: number, last: number): ChangeIds => {
  const changeIds = new ChangeIds();
  for (let seq = first; seq <= last; seq += 1) changeIds.remember(seq, `m${seq}`);
  return changeIds;
};

describe("the change ids of the rows that were read", () => {
  it.each([
    0,
    1,
    7,
    maxWindowRows,
    1_000_000,
  ])("are those of the newest rows of a log that was read from row %i on", (first) => {
    const last = first + 2 * maxWindowRows + 3;
    const changeIds = readFrom(first, last);
    const oldest = last - maxWindowRows + 1;
    expect([changeIds.size, changeIds.oldestSeq]).toEqual([maxWindowRows, oldest]);
    const samples = [oldest, oldest + 1, first + 2 * maxWindowRows - 1, first + 2 * maxWindowRows, last - 1, last];
    for (const seq of samples) {
      expect(changeIds.has(seq, `m${seq}`)).toBe(true);
      expect(changeIds.allow(seq, "other")).toBe(false);
    }
    for (const seq of [first - 1, first, oldest - 1, last + 1, last + maxWindowRows]) {
      expect(changeIds.has(seq, `m${seq}`)).toBe(false);
      expect(changeIds.allow(seq, "other")).toBe(true);
    }
  });

  it("are forgotten where a row follows no other", () => {
    const changeIds = readFrom(1, 5);
    changeIds.remember(9, "m9");
    expect([changeIds.size, changeIds.has(5, "m5"), changeIds.has(9, "m9")]).toEqual([1, false, true]);
    changeIds.remember(3, "other");
    expect([changeIds.size, changeIds.has(9, "m9"), changeIds.has(3, "other")]).toEqual([1, false, true]);
  });

  it("are of no row once they are cleared", () => {
    const changeIds = readFrom(1, 5);
    changeIds.clear();
    expect([changeIds.size, changeIds.has(5, "m5"), changeIds.allow(5, "other")]).toEqual([0, false, true]);
    changeIds.remember(0, "m0");
    expect(changeIds.has(0, "m0")).toBe(true);
  });
});
