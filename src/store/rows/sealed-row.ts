import { toKeyAccount } from "../../key-account.ts";
import type { SealedKey } from "../sealed-key.ts";

/** A row of `byok_secret` beside the head of the log; all `null` for an organisation without keys. */
export interface SealedRow {
  readonly org_id: string;
  readonly provider: string | null;
  readonly name: string;
  readonly secret_id: string;
  readonly region: string | null;
  readonly organization: string | null;
  readonly project: string | null;
  readonly kid: string;
  readonly sealed: string;
}

/** The sealed keys of a snapshot's rows, by organisation. */
export function groupSealedKeys(rows: readonly SealedRow[]): ReadonlyMap<string, SealedKey[]> {
  const keys = new Map<string, SealedKey[]>();
  for (const row of rows) {
    const { org_id: orgId, provider, name, secret_id: secretId, region, kid, sealed } = row;
    if (provider === null) continue;
    const own = keys.get(orgId) ?? [];
    own.push({ provider, name, secretId, region, account: toKeyAccount(row), kid, sealed });
    keys.set(orgId, own);
  }
  return keys;
}
