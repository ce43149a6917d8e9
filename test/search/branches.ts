import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(import.meta.dirname, "../..");
const rooms = /^src\/(?:coherence|resolver)\//u;

/** A stretch of a file, in characters. */
export type Range = readonly [start: number, end: number];

/** What was never run of a file. `hash` is the file's: another text is another file. */
export interface Unreached {
  readonly hash: string;
  readonly ranges: readonly Range[];
}

export type UnreachedFiles = Readonly<Record<string, Unreached>>;

/** Counts which branches of the rooms run, by the engine's own counters. Begun before the rooms are imported. */
export class BranchCounter {
  readonly #session = new Session();

  async begin(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  async end(): Promise<UnreachedFiles> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
    const files: Record<string, Unreached> = {};
    for (const { url, functions } of result) {
      const file = url.startsWith("file:") ? relative(root, fileURLToPath(url)) : "";
      if (!rooms.test(file)) continue;
      const text = readFileSync(resolve(root, file), "utf8");
      const hasRun = new Uint8Array(text.length).fill(1);
      const ranges = functions.flatMap((each) => each.ranges);
      // An inner range says more than the one around it.
      ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
      for (const { startOffset, endOffset, count } of ranges) hasRun.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      files[file] = { hash: createHash("sha256").update(text).digest("base64url"), ranges: zerosOf(hasRun) };
    }
    return files;
  }
}

/** What neither has reached. A file whose text has changed since counts from the newer one alone. */
export function intersect(older: UnreachedFiles, newer: UnreachedFiles): UnreachedFiles {
  const both: Record<string, Unreached> = { ...older };
  for (const [file, { hash, ranges }] of Object.entries(newer)) {
    const before = older[file];
    both[file] = { hash, ranges: before?.hash === hash ? overlap(before.ranges, ranges) : ranges };
  }
  return both;
}

function overlap(a: readonly Range[], b: readonly Range[]): Range[] {
  return a.flatMap(([start, end]) =>
    b.flatMap(([from, to]): Range[] => {
      const [first, last] = [Math.max(start, from), Math.min(end, to)];
      return first < last ? [[first, last]] : [];
    }),
  );
}

function zerosOf(hasRun: Uint8Array): Range[] {
  const ranges: Range[] = [];
  let start = hasRun.indexOf(0);
  while (start >= 0) {
    const end = hasRun.indexOf(1, start);
    ranges.push([start, end < 0 ? hasRun.length : end]);
    start = end < 0 ? -1 : hasRun.indexOf(0, end);
  }
  return ranges;
}

/** Every stretch that was never reached, as `file:line  its text`; and how many lines of code of a room were. */
export function describeUnreached(
  files: UnreachedFiles,
  room: string,
): { reached: number; lines: number; places: string[] } {
  let [reached, lines] = [0, 0];
  const places: string[] = [];
  for (const [file, { ranges }] of Object.entries(files).sort()) {
    if (!file.startsWith(room)) continue;
    const text = readFileSync(resolve(root, file), "utf8");
    let at = 0;
    for (const line of text.split("\n")) {
      const end = at + line.length;
      const isCode = /\w/u.test(line) && !/^\s*(?:\/\*|\*|\/\/)/u.test(line);
      const from = at + line.search(/\S/u);
      if (isCode) lines += 1;
      if (isCode && !ranges.some(([start, stop]) => start <= from && stop >= end)) reached += 1;
      at = end + 1;
    }
    for (const [start, end] of ranges) {
      const stretch = text.slice(start, end).trim();
      if (!/\w/u.test(stretch)) continue;
      const begin = start + text.slice(start, end).search(/\S/u);
      places.push(`${file}:${text.slice(0, begin).split("\n").length}  ${stretch.split("\n")[0]?.slice(0, 90)}`);
    }
  }
  return { reached, lines, places };
}
