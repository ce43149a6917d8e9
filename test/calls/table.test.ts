import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { cells } from "./cells.ts";
import { renderTable, tables } from "./table.ts";

const documented = readFileSync(resolve(import.meta.dirname, "../../docs/key-changes.md"), "utf8");

it("the documentation has a cell for each of these tests, and no other", () => {
  expect(tables.flat().toSorted()).toEqual(Object.keys(cells).toSorted());
  for (const names of tables) expect(documented).toContain(renderTable(names));
  const lines = documented.split("\n").filter((line) => line.startsWith("|"));
  expect(lines).toEqual(tables.flatMap((names) => renderTable(names).split("\n")));
});
