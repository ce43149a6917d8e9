import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A line of a table. A number's unit ends its column's name (`p99 ms`); a column that is left out has nothing to tell. */
export type Row = Readonly<Record<string, string | number>>;

/** Where and when something was measured. */
export interface Setting {
  /** The day, as `2026-11-26`. */
  readonly on: string;
  /** What was checked out, with `+` where files differed from it; `null` outside of a clone. */
  readonly commit: string | null;
  readonly machine: string;
  /** The load of a minute, as it began and as it ended. */
  readonly load: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Recorded {
  readonly setting: Setting;
  readonly rows: readonly Row[];
}

/** What was recorded last, by the name of its table. */
export type Figures = Readonly<Record<string, Recorded>>;

export const figuresFile: string = join(import.meta.dirname, "figures.json");

export function readFigures(): Figures {
  return JSON.parse(readFileSync(figuresFile, "utf8")) as Figures;
}

const places = /<!-- figures: (?<name>[\w-]+) -->\n.*?<!-- end -->/gsu;

/** The names of the tables that a document has a place for. */
export function placesIn(document: string): string[] {
  return [...document.matchAll(places)].map(({ groups }) => groups?.["name"] ?? "");
}

/**
 * A document with what was recorded in its places: between `<!-- figures: name -->` and `<!-- end -->`. With `only`, the
 * places of other tables stay as they are.
 */
export function fillIn(document: string, figures: Figures, only?: string): string {
  return document.replace(places, (place, name: string) => {
    if (only !== undefined && name !== only) return place;
    const recorded = figures[name];
    if (recorded === undefined) throw new Error(`Nothing is recorded as "${name}": run its bench with --record.`);
    return `<!-- figures: ${name} -->\n${tableOf(recorded.rows)}\n\n${lineOf(recorded.setting)}\n<!-- end -->`;
  });
}

/** A document without what stands in those places: what people wrote. */
export function withoutFigures(document: string): string {
  return document.replace(places, "");
}

/** Every figure that a table states, as prose would: `28 µs`, `11 times`. */
export function statedBy({ rows }: Recorded): string[] {
  return rows.flatMap((row) =>
    Object.entries(row).flatMap(([column, value]) => {
      if (typeof value === "string") return figuresIn(value);
      const unit = column === "ratio" ? "times" : /(?<= )(?:µs|ms|s)$/u.exec(column)?.[0];
      return unit === undefined ? [] : [`${cell(value)} ${unit}`];
    }),
  );
}

/** Every figure of a time, or of how many times as long something takes, in a text. */
export function figuresIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w.,])\d[\d.,]*\s(?:µs|ms|times)\b/gu)].map(([figure]) => figure.replace(/\s/u, " "));
}

/** Of all rows, in the order in which they come up; the goal comes last. */
export function columnsOf(rows: readonly Row[]): string[] {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  const goal = columns.delete("goal") ? ["goal"] : [];
  return [...columns, ...goal];
}

function tableOf(rows: readonly Row[]): string {
  const columns = columnsOf(rows);
  const line = (cells: readonly string[]): string =>
    `${cells.map((text) => (text === "" ? "| " : `| ${text} `)).join("")}|`;
  return [
    line(columns),
    `|${columns.map(() => "---|").join("")}`,
    ...rows.map((row) => line(columns.map((column) => cell(row[column] ?? "")))),
  ].join("\n");
}

function cell(value: string | number): string {
  return typeof value === "number"
    ? value.toLocaleString("en-US", { maximumSignificantDigits: 15 })
    : value.replaceAll("|", "\\|");
}

function lineOf({ on, commit, machine, load, versions }: Setting): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `*${on}, at ${commit ?? "no commit"}; ${machine}, load ${load}; ${named.join(", ")}.*`;
}
