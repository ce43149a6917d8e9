import type { KeyAccount } from "../key-account.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { KeyRecord } from "../store/key-record.ts";
import { chooseStatus, type KeyStatus } from "./key-status.ts";

export interface KeyDescription {
  readonly provider: string;
  readonly secretId: string;
  /** The key's last four characters; `null` for one of fewer than 20. */
  readonly hint: string | null;
  readonly status: KeyStatus;
  /** Why this manager's keyring does not open it; `null` where it does. For the operator: see {@link UnopenedReason}. */
  readonly unopened: UnopenedReason | null;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  /** The keyring entry that it is sealed under. */
  readonly kid: string;
  /** RFC 3339, by the database's clock. */
  readonly createdAt: string;
  readonly createdBy: string | null;
  /** When its provider last said something about it, RFC 3339; `null` if it never has. */
  readonly lastCheckedAt: string | null;
}

/** What may be shown of a stored key. */
export function describeKey(record: KeyRecord, unopened: UnopenedReason | null): KeyDescription {
  const { provider, secretId, hint, verdict, region, account, kid, createdAtMs, createdBy, checkedAtMs } = record;
  return {
    provider,
    secretId,
    hint,
    status: chooseStatus(verdict, unopened),
    unopened,
    region,
    account,
    kid,
    createdAt: new Date(createdAtMs).toISOString(),
    createdBy,
    lastCheckedAt: checkedAtMs === null ? null : new Date(checkedAtMs).toISOString(),
  };
}
