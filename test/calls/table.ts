import { type Cell, type CellName, cellOf } from "./cells.ts";
import { type Outcome, turns } from "./hold-call.ts";
import type { Way, WayKind } from "./way.ts";
import { ways } from "./ways.ts";

/** Which cells stand in one table. */
export const tables: readonly (readonly CellName[])[] = [
  ["rotated softly", "rotated hard", "moved to a region"],
  ['deleted, `absent: "platform"`', "the same, with `socketGraceMs`", 'deleted, `absent: "fail"`'],
  [
    'refused, `rejected: "fail"`',
    'refused, `rejected: "platform"`',
    'exhausted, `exhausted: "fail"`',
    'exhausted, `exhausted: "platform"`',
  ],
  ["the database is gone", "Redis is gone, and the key is replaced"],
];

/** What a call asks to which nothing happens. */
const usual: Readonly<Record<WayKind, number>> = { request: turns, socket: turns, "held socket": 1 };

/** A table of the documentation, as it stands there. */
export function renderTable(names: readonly CellName[]): string {
  const rows = ways.map((way) => [way.name, ...names.map((name) => renderCell(cellOf(name, way), way))]);
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  return [line(["", ...names]), `|${"---|".repeat(names.length + 1)}`, ...rows.map(line)].join("\n");
}

function renderCell(cell: Cell | undefined, { kind }: Way): string {
  if (cell === undefined) return "–";
  const { between, within } = cell;
  const cut = Object.entries(within?.failed ?? {}).find(([turn]) => !(Number(turn) in between.failed));
  const whenCut = cut === undefined ? "" : `; a turn under way is cut, \`${cut[1]}\``;
  return `${renderHeard(between)}; ${renderRequests(between, usual[kind])}${whenCut}`;
}

function renderHeard({ failed }: Outcome): string {
  const [first] = Object.entries(failed);
  if (first === undefined) return "every turn";
  const last = Object.keys(failed).at(-1);
  return `turns ${first[0]} to ${last} fail, \`${first[1]}\``;
}

function renderRequests({ requests }: Outcome, usually: number): string {
  const runs = requests.map((run) => ({
    key: run.replace(/ ×\d+$/u, "").replace("old refused", "refused"),
    count: Number(/\d+$/u.exec(run)?.[0]),
  }));
  const total = runs.reduce((sum, { count }) => sum + count, 0);
  const more = total > usually ? ` (${total - usually} more)` : "";
  return `${runs.map(({ key, count }) => `${count} ${key}`).join(", ")}${more}`;
}
