import type { Contradiction } from "../key-record.ts";

/** For every engine; `prefix` stands before the names of tables, `limit` is a parameter. */
export function composeContradictionsSql(prefix: string, limit: string): string {
  return `
  WITH trail AS (SELECT org_id, provider, name, secret_id,
      row_number() OVER (PARTITION BY org_id, provider, name ORDER BY id DESC) AS turn
    FROM ${prefix}byok_audit WHERE seq IS NOT NULL),
  newest AS (SELECT org_id, provider, name, secret_id FROM trail WHERE turn = 1)
  SELECT coalesce(secret.org_id, newest.org_id) AS org_id, coalesce(secret.provider, newest.provider) AS provider,
    coalesce(secret.name, newest.name) AS name, secret.secret_id, newest.secret_id AS audited_secret_id
  FROM ${prefix}byok_secret secret FULL JOIN newest
    ON newest.org_id = secret.org_id AND newest.provider = secret.provider AND newest.name = secret.name
  WHERE secret.secret_id IS DISTINCT FROM newest.secret_id
  ORDER BY 1, 2, 3 LIMIT ${limit}`;
}

export function toContradiction(row: Readonly<Record<string, unknown>>): Contradiction {
  return {
    orgId: String(row["org_id"]),
    provider: String(row["provider"]),
    name: String(row["name"]),
    secretId: row["secret_id"] as string | null,
    auditedSecretId: row["audited_secret_id"] as string | null,
  };
}
