import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { KeyRecord } from "../store/key-record.ts";
import type { KeyDescription } from "./key-manager.ts";
import { chooseStatus } from "./key-status.ts";

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
