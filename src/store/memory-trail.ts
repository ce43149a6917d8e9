import type { Verdict } from "./key-change.ts";
import type { AuditRow } from "./key-record.ts";
import type { NewAuditRow } from "./rows/audit-row.ts";
import type { KeyRef } from "./sealed-key.ts";

interface OwnAuditRow extends AuditRow {
  readonly orgId: string;
  times: number;
}

/** The audit trail of a store in memory. The oldest rows go when there are more than `maxRows`. */
export class MemoryTrail {
  readonly #rows: OwnAuditRow[] = [];
  readonly #maxRows: number;
  #written = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  append(orgId: string, row: NewAuditRow): void {
    this.#written += 1;
    this.#rows.push({ orgId, id: this.#written, atMs: Date.now(), times: 1, ...row });
    if (this.#rows.length > this.#maxRows) this.#rows.shift();
  }

  /** Whether a call found that out of the secret before. */
  hasObserved(secretId: string, verdict: Verdict): boolean {
    return this.#rows.some((row) => row.action === "observed" && row.secretId === secretId && row.verdict === verdict);
  }

  /** One row a minute, reference and actor, which counts. */
  countAttempt({ orgId, provider, name }: KeyRef, actor: string | null): void {
    const minute = Math.floor(Date.now() / 60_000);
    const counted = this.#rows.findLast(
      (row) =>
        row.action === "attempted" &&
        row.orgId === orgId &&
        row.provider === provider &&
        row.name === name &&
        row.actor === actor &&
        Math.floor(row.atMs / 60_000) === minute,
    );
    if (counted !== undefined) {
      counted.times += 1;
      return;
    }
    const nothing = { secretId: null, previousSecretId: null, region: null, account: null, verdict: null, hint: null };
    this.append(orgId, { seq: null, actor, provider, name, action: "attempted", ...nothing });
  }

  /** An organisation's rows with an id below `before`, the newest first. */
  read(orgId: string, before: number | null, limit: number): AuditRow[] {
    const own = this.#rows.filter((row) => row.orgId === orgId && row.id < (before ?? Number.POSITIVE_INFINITY));
    return own
      .reverse()
      .slice(0, limit)
      .map(({ orgId: _orgId, ...row }) => row);
  }
}
