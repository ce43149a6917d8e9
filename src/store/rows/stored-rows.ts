import { type KeyAccount, toKeyAccount } from "../../key-account.ts";
import type { Verdict } from "../key-change.ts";
import type { AuditRow, KeyRecord } from "../key-record.ts";

type Row = Readonly<Record<string, unknown>>;

/** A number that a driver gives as one, or as text. */
const toNumber = (value: unknown): number | null => (value === null ? null : Number(value));

/** What a row of `byok_secret` or of `byok_audit` says of an account. */
export function readAccount(row: Row): KeyAccount | null {
  return toKeyAccount(row as unknown as KeyAccount);
}

/** A row of `byok_secret`. */
export function toKeyRecord(row: Row): KeyRecord {
  return {
    provider: String(row["provider"]),
    name: String(row["name"]),
    secretId: String(row["secret_id"]),
    region: row["region"] as string | null,
    account: readAccount(row),
    kid: String(row["kid"]),
    sealed: String(row["sealed"]),
    hint: row["hint"] as string | null,
    createdAtMs: Number(row["created_at_ms"]),
    createdBy: row["created_by"] as string | null,
    verdict: row["verdict"] as Verdict,
    checkedAtMs: toNumber(row["checked_at_ms"]),
  };
}

/** A row of `byok_audit`. */
export function toAuditRow(row: Row): AuditRow {
  return {
    id: Number(row["id"]),
    seq: toNumber(row["seq"]),
    atMs: Number(row["at_ms"]),
    actor: row["actor"] as string | null,
    provider: String(row["provider"]),
    name: String(row["name"]),
    action: row["action"] as AuditRow["action"],
    secretId: row["secret_id"] as string | null,
    previousSecretId: row["previous_secret_id"] as string | null,
    region: row["region"] as string | null,
    account: readAccount(row),
    verdict: row["verdict"] as Verdict | null,
    hint: row["hint"] as string | null,
    times: Number(row["times"]),
  };
}
