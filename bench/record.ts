import { writeFileSync } from "node:fs";
import { columnsOf, type Figures, figuresFile, type Row, readFigures, type Setting } from "./figures.ts";
import { commit, load, machine, versions } from "./machine.ts";
import { writeDocuments } from "./write-documents.ts";

const isRecorded = process.argv.includes("--record");
let loadBefore = load();

/** What a bench hands over. What is not a number, or not there, leaves its cell empty. */
export type Measured = Readonly<Record<string, string | number | undefined>>;

/**
 * Prints a table. With `--record` it also goes to `bench/figures.json`, in place of what was recorded under that name, and
 * from there to the documents that have a place for it.
 *
 * @param others versions of what else was measured
 */
export async function recordFigures(
  name: string,
  measured: readonly Measured[],
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  const rows = measured.map(filled);
  const setting: Setting = {
    on: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: machine(),
    load: `${loadBefore} to ${load()}`,
    versions: { ...(await versions()), ...others },
  };
  loadBefore = load();
  console.log(`\n${name}: ${JSON.stringify(setting)}`);
  console.table(rows, columnsOf(rows));
  if (!isRecorded) return;
  const figures: Figures = { ...readFigures(), [name]: { setting, rows } };
  const sorted = Object.fromEntries(Object.entries(figures).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(figuresFile, `${JSON.stringify(sorted, null, 2)}\n`);
  writeDocuments(figures, name);
}

function filled(row: Measured): Row {
  const cells = Object.entries(row).map(([column, value]) => {
    const isThere = typeof value === "string" || Number.isFinite(value);
    return [column, isThere ? value : ""];
  });
  return Object.fromEntries(cells) as Row;
}
