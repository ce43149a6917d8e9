/** Prints a result: as JSON with `--json`, else as lines of tab-separated cells under their names. */
export function print(result: object, rows: readonly (readonly (string | null)[])[], isJson: boolean): void {
  const lines = rows.map((cells) => cells.map((cell) => cell ?? "-").join("\t"));
  process.stdout.write(`${isJson ? JSON.stringify(result, null, 2) : lines.join("\n")}\n`);
}

/** What every printing command takes. */
export interface OutputOptions {
  readonly json?: boolean;
}
