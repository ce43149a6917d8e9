import type { LogPage } from "../store/change-log.ts";

/** One row of one history of the change log. */
export interface LogPosition {
  readonly incarnation: string;
  readonly seq: number;
  readonly changeId: string;
}

/** The page from where a reader stands: another read may have brought it further since the page was asked for. */
export function alignPage({ seq: here, changeId: ownId }: LogPosition, page: LogPage): LogPage | undefined {
  if (page.after === here) return page;
  const index = page.changes.findIndex(({ seq, changeId }) => seq === here && changeId === ownId);
  if (index < 0) return undefined;
  return { ...page, after: here, afterChangeId: ownId, changes: page.changes.slice(index + 1) };
}
