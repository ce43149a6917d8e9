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
