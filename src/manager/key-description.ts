import type { KeyRecord } from "../store/key-store.ts";
import type { KeyDescription } from "./key-manager.ts";
import type { KeyStatus } from "./key-status.ts";

/** What may be shown of a stored key. */
export function describeKey(record: KeyRecord, status: KeyStatus): KeyDescription {
  const { provider, secretId, hint, region, kid, createdAtMs, createdBy, checkedAtMs } = record;
  return {
    provider,
    secretId,
    hint,
    status,
    region,
    kid,
    createdAt: new Date(createdAtMs).toISOString(),
    createdBy,
    lastCheckedAt: checkedAtMs === null ? null : new Date(checkedAtMs).toISOString(),
  };
}
