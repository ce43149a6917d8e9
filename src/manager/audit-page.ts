import { positiveWhole } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { AuditRow } from "../store/key-record.ts";
import type { KeyStore } from "../store/key-store.ts";

/** The most entries of one `KeyManager.audit()`. */
const maxAuditPage = 200;

export interface AuditPageOptions {
  /** `next` of the previous page. Absent: the newest. */
  readonly before?: number | undefined;
  /** At most 200. @default 50 */
  readonly limit?: number | undefined;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Pass it as `before` for the next page; `null` on the last. */
  readonly next: number | null;
}

/** One change, as it was made. Written in the change's own transaction, and never altered. */
export interface AuditEntry extends Omit<AuditRow, "atMs"> {
  /** RFC 3339, by the database's clock. */
  readonly at: string;
}

const rules: OptionRules<AuditPageOptions> = { before: positiveWhole, limit: positiveWhole };

/**
 * Where a page begins, and how many entries it has at most.
 *
 * @throws ByokError `options_invalid`
 */
export function readAuditPage(page: AuditPageOptions | undefined): Parameters<KeyStore["audit"]>[1] {
  const { before, limit = 50 } = readOptions("audit()", page, rules);
  return { before: before ?? null, limit: Math.min(limit, maxAuditPage) };
}

/** The page of `rows`, of which there is one more than its limit where there is another page. */
export function toAuditPage(rows: readonly AuditRow[], limit: number): AuditPage {
  const entries = rows.slice(0, limit).map(({ atMs, ...row }) => ({ ...row, at: new Date(atMs).toISOString() }));
  return { entries, next: rows.length > limit ? (entries.at(-1)?.id ?? null) : null };
}
