export interface SlotReport {
  readonly slot: string;
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly reason: string;
  readonly firstByteMs: number | null;
}

export interface CallReport {
  readonly orgId: string;
  readonly step: string;
  readonly resolveMs: number;
  /** Where the organisation's keys were found: memory, redis or database. */
  readonly snapshot: string;
  readonly slots: readonly SlotReport[];
  readonly error?: { readonly code: string; readonly slots: readonly string[] };
}

const columns = [
  "organisation",
  "slot",
  "provider",
  "model",
  "whose key",
  "why",
  "found in",
  "resolve",
  "first byte",
] as const;
const ms = (value: number | null): string => (value === null ? "" : `${value.toFixed(1)} ms`);

/** The calls as a table, a heading a step. */
export function table(calls: readonly CallReport[]): string {
  const lines = calls.flatMap(({ orgId, resolveMs, snapshot, slots, error }) =>
    error === undefined
      ? slots.map(({ slot, provider, model, source, reason, firstByteMs }) => [
          orgId,
          slot,
          provider,
          model,
          source === "byok" ? "its own" : "platform's",
          reason,
          snapshot,
          ms(resolveMs),
          ms(firstByteMs),
        ])
      : [[orgId, error.slots.join(", "), "", "", "none", error.code, snapshot, ms(resolveMs), ""]],
  );
  const widths = columns.map((column, at) => Math.max(column.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  let printed = 0;
  const body = calls.flatMap(({ step }, at) => {
    const count = calls[at]?.error === undefined ? (calls[at]?.slots.length ?? 0) : 1;
    const rows = lines.slice(printed, printed + count).map(row);
    printed += count;
    return calls[at - 1]?.step === step ? rows : ["", step, ...rows];
  });
  return [row(columns), ...body].join("\n");
}
