/** The most log rows that one `KeyStore.poll()` returns. */
export const maxLogRows = 1_000;

/**
 * The furthest behind the head that a page with a window starts, in rows: a worker keeps no more of them, so that it
 * starts in a second however many changes its window holds.
 */
export const maxWindowRows = 65_536;

/**
 * Where to read the change log from: behind a change already read, or from the newest change that is older than a
 * window (so that a starting worker learns of every change within it), {@link maxWindowRows} behind the head at the
 * most. `windowMs: 0` starts at the head.
 */
export type LogCursor = { readonly after: number } | { readonly windowMs: number };

/** One consistent read of the change log. */
export interface LogPage {
  readonly incarnation: string;
  /** The newest change number, and its row's change id. 0 in a store that has never changed. */
  readonly head: number;
  readonly headChangeId: string;
  /** The number that the page starts behind: `after` as it was asked for, or the change that the window chose. */
  readonly after: number;
  /** The change id of row `after`; `null` when there is no such row (pruned, or another history). */
  readonly afterChangeId: string | null;
  /** The rows with numbers above `after`, ascending, at most {@link maxLogRows}; more when the last is below `head`. */
  readonly changes: readonly LogRow[];
}

/** One change: which organisation it touched. */
export interface LogRow {
  readonly seq: number;
  readonly changeId: string;
  readonly orgId: string;
}
