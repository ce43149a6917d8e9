import type { AuditRow, KeyRecord, Verdict } from "../key-store.ts";

type Row = Readonly<Record<string, unknown>>;

/** A database's time as milliseconds since the epoch: a `Date`, or a number of them already. */
const toMs = (time: unknown): number => (time instanceof Date ? time.getTime() : Number(time));

/** A row of `byok_secret`. */
export function toKeyRecord(row: Row): KeyRecord {
  return {
    provider: String(row["provider"]),
    secretId: String(row["secret_id"]),
    region: row["region"] as string | null,
    kid: String(row["kid"]),
    sealed: String(row["sealed"]),
    hint: row["hint"] as string | null,
    createdAtMs: toMs(row["created_at"]),
    createdBy: row["created_by"] as string | null,
    verdict: row["verdict"] as Verdict,
    checkedAtMs: row["checked_at"] === null ? null : toMs(row["checked_at"]),
  };
}

/** A row of `byok_audit`. */
export function toAuditRow(row: Row): AuditRow {
  return {
    seq: Number(row["seq"]),
    atMs: toMs(row["at"]),
    actor: row["actor"] as string | null,
    provider: String(row["provider"]),
    action: row["action"] as AuditRow["action"],
    secretId: row["secret_id"] as string | null,
    previousSecretId: row["previous_secret_id"] as string | null,
    region: row["region"] as string | null,
    verdict: row["verdict"] as Verdict | null,
    hint: row["hint"] as string | null,
  };
}
