import type { NotedCheck } from "../key-store.ts";
import type { PostgresPoolClient, PostgresQuery } from "./postgres-client.ts";

export interface HeadRow {
  readonly incarnation: string;
  readonly seq: string;
  readonly change_id: string;
}

export interface PollRow {
  readonly incarnation: string;
  readonly head: string;
  readonly head_change_id: string;
  readonly start: string;
  readonly seq: string | null;
  readonly org_id: string;
  readonly change_id: string;
}

/** Read in the same statement as everything else, and once for all of its rows. */
const inRecovery = "(SELECT pg_is_in_recovery())";

/** A promoted standby has a timeline of its own. */
const timeline = `(SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END)`;

/** The statements that read. */
export interface ReadStatements {
  snapshots(orgIds: readonly string[]): PostgresQuery;
  poll(after: number | null, windowMs: number | null, limit: number): PostgresQuery;
}

const plain = buildStatements("byok", "clock.incarnation");
const withTimeline = buildStatements("byok_timeline", `clock.incarnation || '.' || ${timeline}`);

/** Those that show the server's timeline where the role may read it, else those that do not. */
export async function chooseStatements(client: PostgresPoolClient): Promise<ReadStatements> {
  const { rows } = await client.query({
    text: `SELECT has_function_privilege('pg_walfile_name(pg_lsn)', 'execute')
      AND has_function_privilege('pg_current_wal_lsn()', 'execute') AS may_read`,
  });
  return (rows[0] as { may_read: boolean }).may_read ? withTimeline : plain;
}

/** Named, so that each connection prepares them once. */
function buildStatements(name: string, incarnation: string): ReadStatements {
  return {
    snapshots: (orgIds) => ({ name: `${name}_snapshots`, text: buildSnapshotSql(incarnation), values: [orgIds] }),
    poll: (after, windowMs, limit) => ({
      name: `${name}_poll`,
      text: buildPollSql(incarnation),
      values: [after, windowMs, limit],
    }),
  };
}

function buildSnapshotSql(incarnation: string): string {
  return `
  SELECT ${inRecovery} AS in_recovery, ${incarnation} AS incarnation, clock.seq, log.change_id,
    secret.org_id, secret.provider, secret.secret_id, secret.region, secret.kid, secret.sealed
  FROM byok_clock clock
  JOIN byok_log log ON log.seq = clock.seq
  LEFT JOIN byok_secret secret ON secret.org_id = ANY ($1::text[])
  WHERE clock.id = 1`;
}

function buildPollSql(incarnation: string): string {
  return `
  WITH start AS (SELECT coalesce(
    $1::bigint,
    CASE WHEN $2::double precision IS NOT NULL THEN coalesce(
      (SELECT max(seq) FROM byok_log WHERE at < clock_timestamp() - $2::double precision * interval '1 millisecond'),
      (SELECT min(seq) FROM byok_log)) END,
    (SELECT max(seq) FROM byok_log)) AS seq)
  SELECT ${inRecovery} AS in_recovery, ${incarnation} AS incarnation, clock.seq AS head, newest.change_id AS head_change_id,
    start.seq AS start, log.seq, log.org_id, log.change_id
  FROM byok_clock clock
  CROSS JOIN start
  JOIN byok_log newest ON newest.seq = clock.seq
  LEFT JOIN byok_log log ON log.seq >= start.seq
  WHERE clock.id = 1 ORDER BY log.seq LIMIT $3`;
}

/** Columns by name: a prepared `*` fails on every connection once when a newer release adds one. */
export function buildDescribeQuery(orgId: string): PostgresQuery {
  const text = `SELECT provider, secret_id, region, kid, sealed, hint, created_at, created_by, verdict, checked_at
    FROM byok_secret WHERE org_id = $1 ORDER BY provider`;
  return { name: "byok_describe", text, values: [orgId] };
}

export function buildNoteCheckQuery({ orgId, provider, secretId, verdict }: NotedCheck): PostgresQuery {
  const text = `UPDATE byok_secret SET verdict = $4, checked_at = clock_timestamp()
    WHERE org_id = $1 AND provider = $2 AND secret_id = $3 RETURNING secret_id`;
  return { text, values: [orgId, provider, secretId, verdict] };
}

export function buildAuditQuery(orgId: string, before: number | null, limit: number): PostgresQuery {
  const text = `SELECT seq, at, actor, provider, action, secret_id, previous_secret_id, region, verdict, hint
    FROM byok_audit WHERE org_id = $1 AND seq < coalesce($2::bigint, 9223372036854775807) ORDER BY seq DESC LIMIT $3`;
  return { name: "byok_audit", text, values: [orgId, before, limit] };
}
