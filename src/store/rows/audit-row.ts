import type { KeyAccount } from "../../key-account.ts";
import type { NewKey } from "../key-change.ts";
import type { AuditRow } from "../key-record.ts";
import type { KeyRef } from "../sealed-key.ts";

/** A secret that a change deletes. */
export interface RemovedSecret {
  readonly secretId: string;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  readonly hint: string | null;
}

/** What is known of an audit row before it is stored. */
export type NewAuditRow = Omit<AuditRow, "id" | "atMs" | "times">;

/** The audit row of a change: of what was stored, of what was there before, or of both. */
export function composeAuditRow(change: {
  readonly seq: number;
  readonly ref: KeyRef;
  readonly actor: string | null;
  readonly before: RemovedSecret | undefined;
  readonly stored?: NewKey;
}): NewAuditRow {
  const { seq, ref, actor, before, stored } = change;
  const shown = stored ?? before;
  return {
    seq,
    actor,
    provider: ref.provider,
    name: ref.name,
    action: stored === undefined ? "removed" : before === undefined ? "added" : "replaced",
    secretId: stored?.secretId ?? null,
    previousSecretId: before?.secretId ?? null,
    region: shown?.region ?? null,
    account: shown?.account ?? null,
    verdict: stored?.verdict ?? null,
    hint: shown?.hint ?? null,
  };
}
