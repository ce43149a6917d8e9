import { escapeText } from "./escape-text.ts";
import { formatLines, type Row } from "./format-lines.ts";

/** Prints a result: as JSON with `--json`, else as lines and aligned tables whose first row has the names. */
export function print(result: object, rows: readonly Row[], isJson: boolean): void {
  const lines = isJson ? formatJson(result) : formatLines(rows);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Says something beside the result, on a line of standard error. */
export function warn(line: string): void {
  process.stderr.write(`${escapeText(line)}\n`);
}

/** What every printing command takes. */
export interface OutputOptions {
  readonly json?: boolean;
}

/** JSON itself escapes control characters below U+0020 alone. */
function formatJson(result: object): string[] {
  return JSON.stringify(result, null, 2).split("\n").map(escapeText);
}
