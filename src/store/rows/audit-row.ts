import type { AuditRow, NewKey } from "../key-store.ts";

/** A secret that a change has deleted. */
export interface RemovedSecret {
  readonly secretId: string;
  readonly region: string | null;
  readonly hint: string | null;
}

/** What `DELETE … RETURNING secret_id, region, hint` gives. */
export function toRemovedSecret(row: Readonly<Record<string, unknown>>): RemovedSecret {
  return {
    secretId: String(row["secret_id"]),
    region: row["region"] as string | null,
    hint: row["hint"] as string | null,
  };
}

/** The audit row of a change: of what was stored, of what was there before, or of both. */
export function composeAuditRow(change: {
  readonly seq: number;
  readonly actor: string | null;
  readonly provider: string;
  readonly before: RemovedSecret | undefined;
  readonly stored?: NewKey;
}): Omit<AuditRow, "atMs"> {
  const { seq, actor, provider, before, stored } = change;
  const shown = stored ?? before;
  return {
    seq,
    actor,
    provider,
    action: stored === undefined ? "removed" : before === undefined ? "added" : "replaced",
    secretId: stored?.secretId ?? null,
    previousSecretId: before?.secretId ?? null,
    region: shown?.region ?? null,
    verdict: stored?.verdict ?? null,
    hint: shown?.hint ?? null,
  };
}
