import type { KeyDescription } from "../manager/key-description.ts";
import type { ByokKeys, KeyChange } from "../manager/key-manager.ts";

/** The facts of a change or of a key that are called the same in the API and in the manager. */
type ChangeFacts = Pick<KeyChange, "seq" | "region" | "account" | "published">;
type KeyFacts = Pick<KeyDescription, "hint" | "status" | "region" | "account">;

export interface ChangeAnswer extends ChangeFacts {
  readonly success: true;
  readonly byok_keys: ByokKeys;
  readonly verification: KeyChange["verdict"];
  readonly reason: string | null;
  readonly effective_within_ms: number;
}

export interface DetailsAnswer extends KeyFacts {
  readonly secret_id: string;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly last_checked_at: string | null;
}

/** What is answered to a change of a key. */
export function toChangeAnswer(change: KeyChange): ChangeAnswer {
  const { byokKeys, seq, verdict, reason = null, region, account, published, effectiveWithinMs } = change;
  return {
    success: true,
    byok_keys: byokKeys,
    seq,
    verification: verdict,
    reason,
    region,
    account,
    published,
    effective_within_ms: effectiveWithinMs,
  };
}

/** What is shown of a stored key; `null` where there is none. */
export function toDetailsAnswer(key: KeyDescription | undefined): DetailsAnswer | null {
  if (key === undefined) return null;
  const { secretId, hint, status, region, account, createdAt, createdBy, lastCheckedAt } = key;
  return {
    secret_id: secretId,
    hint,
    status,
    region,
    account,
    created_at: createdAt,
    created_by: createdBy,
    last_checked_at: lastCheckedAt,
  };
}
