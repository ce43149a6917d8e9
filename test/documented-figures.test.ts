import { describe, expect, it } from "vitest";
import {
  type Figures,
  figuresIn,
  fillIn,
  placesIn,
  readFigures,
  type Setting,
  statedBy,
  withoutFigures,
} from "../bench/figures.ts";
import { documents, readDocument } from "./support/documents.ts";

const figures = readFigures();
const withPlaces = [...documents].filter(([, text]) => placesIn(text).length > 0);

describe.each(withPlaces)("%s", (_file, text) => {
  it("has the figures that were recorded", () => {
    expect(fillIn(text, figures)).toBe(text);
  });
});

it("every table that was recorded has its place in a document", () => {
  const placed = withPlaces.flatMap(([, text]) => placesIn(text));
  expect(placed.toSorted()).toEqual(Object.keys(figures).toSorted());
});

it.each(["README.md", "docs/figures.md", "docs/comparison.md"])("%s states no figure that was not recorded", (file) => {
  const recorded = new Set(Object.values(figures).flatMap(statedBy));
  const stated = figuresIn(withoutFigures(readDocument(file)));
  expect(stated.filter((figure) => !recorded.has(figure))).toEqual([]);
});

describe("a place in a document", () => {
  const setting: Setting = { on: "2026-11-26", commit: "abc1234", machine: "2 × X", load: "1.0 to 1.1", versions: {} };
  const rows = [
    { what: "a hit", "byokit µs": 1.8, ratio: 11, goal: "≤ 8 times: missed" },
    { what: "a | b", "byokit µs": 1_234, "p99 ms": 5 },
  ];
  const made: Figures = { hits: { setting: { ...setting, versions: { Node: "24.0.0" } }, rows } };
  const place = "Before.\n\n<!-- figures: hits -->\nold\n<!-- end -->\n\nAfter.\n";

  it("is filled with the table, its setting and nothing else", () => {
    const filled = fillIn(place, made);
    expect(filled.split("\n")).toEqual([
      "Before.",
      "",
      "<!-- figures: hits -->",
      "| what | byokit µs | ratio | p99 ms | goal |",
      "|---|---|---|---|---|",
      "| a hit | 1.8 | 11 | | ≤ 8 times: missed |",
      "| a \\| b | 1,234 | | 5 | |",
      "",
      "*2026-11-26, at abc1234; 2 × X, load 1.0 to 1.1; Node 24.0.0.*",
      "<!-- end -->",
      "",
      "After.",
      "",
    ]);
    expect(fillIn(filled, made)).toBe(filled);
  });

  it("is left alone while another table is recorded", () => {
    expect(fillIn(place, made, "misses")).toBe(place);
    expect(fillIn(place, made, "hits")).toBe(fillIn(place, made));
  });

  it("cannot be filled with what was not recorded", () => {
    expect(() => fillIn(place, {})).toThrow('Nothing is recorded as "hits"');
  });

  it("lets prose state its figures, each with its unit, and no others", () => {
    expect(made["hits"] && statedBy(made["hits"])).toEqual(["1.8 µs", "11 times", "8 times", "1,234 µs", "5 ms"]);
    expect(figuresIn("It takes 1.8 µs, 11 times as long, within 10 s.")).toEqual(["1.8 µs", "11 times"]);
  });
});
