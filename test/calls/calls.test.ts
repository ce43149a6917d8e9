import { beforeAll, describe, expect, it } from "vitest";
import { type CellName, cellOf } from "./cells.ts";
import { holdCallDuring, type Moment, type Situation, situations } from "./situations.ts";
import { loadSdks, ways } from "./ways.ts";

beforeAll(loadSdks);

const held = Object.entries<Situation>(situations) as [keyof typeof situations & CellName, Situation][];

describe.each(held)("a call of ten turns whose key is %s", (name, situation) => {
  const calls = ways.flatMap((way) => {
    const { between, within } = cellOf(name, way) ?? {};
    const moments = [
      ["between turns", between],
      ["within a turn", within],
    ] as const;
    return moments.flatMap(([moment, cell]) => (cell === undefined ? [] : [[way.name, moment, way, cell] as const]));
  });

  it.each(calls)("by %s, %s: what is heard, what is asked, and who pays", async (_name, moment, way, cell) => {
    expect(await holdCallDuring(way, situation, moment satisfies Moment)).toEqual(cell);
  });
});
