import type { Contradiction } from "../key-record.ts";

const isSameKey =
  "ON newest.org_id = secret.org_id AND newest.provider = secret.provider AND newest.name = secret.name";

/**
 * For every engine; `prefix` stands before the names of tables, `limit` is a parameter. Two joins, for SQLite takes the square of
 * the number of keys for one that is full.
 */
export function composeContradictionsSql(prefix: string, limit: string): string {
  return `
  WITH trail AS (SELECT org_id, provider, name, secret_id,
      row_number() OVER (PARTITION BY org_id, provider, name ORDER BY id DESC) AS turn
    FROM ${prefix}byok_audit WHERE seq IS NOT NULL),
  newest AS (SELECT org_id, provider, name, secret_id FROM trail WHERE turn = 1)
  SELECT secret.org_id, secret.provider, secret.name, secret.secret_id, newest.secret_id AS audited_secret_id
    FROM ${prefix}byok_secret secret LEFT JOIN newest ${isSameKey}
    WHERE secret.secret_id IS DISTINCT FROM newest.secret_id
  UNION ALL SELECT newest.org_id, newest.provider, newest.name, NULL, newest.secret_id
    FROM newest LEFT JOIN ${prefix}byok_secret secret ${isSameKey}
    WHERE newest.secret_id IS NOT NULL AND secret.secret_id IS NULL
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
