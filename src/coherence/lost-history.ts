/** The most organisations that are named of a history that was lost. */
const maxLostOrgs = 100;

/**
 * What a worker has seen of a history that its database does not have any more: a backup was restored, or a standby was
 * promoted that lacked the last changes. A key whose removal is lost with it is stored again.
 */
export interface LostHistory {
  /** The newest change of the lost history that this worker has read. */
  readonly lastSeq: number;
  /** The head of what the database has now; `null` when that is not known yet. */
  readonly head: number | null;
  /** Organisations that this worker has seen changes of, the newest first, at most a hundred: look at their keys. */
  readonly orgIds: readonly string[];
  /** Of how many organisations it has seen changes. Those before it started are not among them. */
  readonly organisations: number;
}

/** `known`: per organisation the newest change that the worker has seen. */
export function tellLoss(known: ReadonlyMap<string, number>, lastSeq: number, head: number | null): LostHistory {
  const newestFirst = [...known].sort(([, a], [, b]) => b - a).map(([orgId]) => orgId);
  return { lastSeq, head, orgIds: newestFirst.slice(0, maxLostOrgs), organisations: known.size };
}
