import type { KeyAccount } from "../key-account.ts";
import type { Attribution, Verdict } from "./key-change.ts";
import type { KeyRef, SealedKey } from "./sealed-key.ts";

/** What is known of a stored key. */
export interface KeyRecord extends SealedKey {
  readonly hint: string | null;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly createdAtMs: number;
  readonly createdBy: string | null;
  /** What its provider said last; `unreachable` or `skipped` while it has never said anything. */
  readonly verdict: Verdict;
  /** When its provider said that; `null` while it has never said anything. */
  readonly checkedAtMs: number | null;
}

/** One entry of the audit trail, kept for ever and unaltered. Reads leave none. */
export interface AuditRow extends Attribution {
  /** Ascending, with gaps: the row's own. A page's cursor. */
  readonly id: number;
  /** The number of the change; `null` where nothing changed. */
  readonly seq: number | null;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly atMs: number;
  readonly provider: string;
  readonly name: string;
  /**
   * `verified`: a stored key was checked. `observed`: a call found out that its provider refuses it, or takes it again;
   * one row at most for each secret and verdict. `attempted`: changes that stored nothing; one row a minute counts them.
   */
  readonly action: "added" | "replaced" | "removed" | "verified" | "observed" | "attempted";
  /** The secret that the organisation has for the provider since then; `null` after a removal. */
  readonly secretId: string | null;
  /** The secret that it had before, deleted by this change; `null` where there was none. */
  readonly previousSecretId: string | null;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  /** What the provider said of the key that is stored; `null` for a removal. */
  readonly verdict: Verdict | null;
  /** Of the key that was stored, or of the one that was removed. */
  readonly hint: string | null;
  /** How often; 1 for everything but attempts. */
  readonly times: number;
}

/** A key that the audit trail contradicts. */
export interface Contradiction extends KeyRef {
  /** What is stored; `null`: nothing is, and the trail knows of no removal. */
  readonly secretId: string | null;
  /** What the trail's newest change of the key says is stored; `null`: nothing. */
  readonly auditedSecretId: string | null;
}
