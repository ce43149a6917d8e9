import stringWidth from "string-width";
import { escapeText } from "./escape-text.ts";

/** A line of text, which has one cell, or a table's row, which has more. `null`: there is nothing to show. */
export type Row = readonly (string | null)[];

/** Lines for a terminal: the columns of tables are aligned, and nothing that a cell holds steers the terminal. */
export function formatLines(rows: readonly Row[]): string[] {
  const texts = rows.map((cells) => cells.map((cell) => escapeText(cell ?? "-")));
  const widths: number[] = [];
  for (const cells of texts.filter(({ length }) => length > 1)) {
    for (const [at, cell] of cells.entries()) widths[at] = Math.max(widths[at] ?? 0, stringWidth(cell));
  }
  const pad = (cell: string, at: number): string =>
    cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - stringWidth(cell)));
  return texts.map((cells) => (cells.length === 1 ? cells : cells.map(pad)).join("  ").trimEnd());
}
