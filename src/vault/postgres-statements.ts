import type { PostgresPoolClient, PostgresQuery } from "./postgres-client.ts";

export interface HeadRow {
  readonly incarnation: string;
  readonly seq: string;
  readonly mark: string;
}

export interface PollRow {
  readonly incarnation: string;
  readonly head: string;
  readonly head_mark: string;
  readonly start: string;
  readonly seq: string | null;
  readonly org_id: string;
  readonly mark: string;
}

export interface RecordRow {
  readonly provider: string;
  readonly secret_id: string;
  readonly region: string | null;
  readonly kid: string;
  readonly hint: string | null;
  readonly created_at: Date;
  readonly created_by: string | null;
}

/** Read in the same statement as everything else: a promoted standby has a timeline of its own. */
const timeline = "CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

/** The statements that read. */
export interface ReadStatements {
  snapshots(orgIds: readonly string[]): PostgresQuery;
  poll(after: number | null, windowMs: number | null, limit: number): PostgresQuery;
}

const plain = readStatements("byok", "clock.incarnation");
const withTimeline = readStatements("byok_timeline", `clock.incarnation || '.' || ${timeline}`);

/** Those that show the server's timeline where the role may read it, else those that do not. */
export async function readStatementsFor(client: PostgresPoolClient): Promise<ReadStatements> {
  const { rows } = await client.query({
    text: `SELECT has_function_privilege('pg_walfile_name(pg_lsn)', 'execute')
      AND has_function_privilege('pg_current_wal_lsn()', 'execute') AS may_read`,
  });
  return (rows[0] as { may_read: boolean }).may_read ? withTimeline : plain;
}

/** Named, so that each connection prepares them once. */
function readStatements(name: string, incarnation: string): ReadStatements {
  return {
    snapshots: (orgIds) => ({ name: `${name}_snapshots`, text: snapshotSql(incarnation), values: [orgIds] }),
    poll: (after, windowMs, limit) => ({
      name: `${name}_poll`,
      text: pollSql(incarnation),
      values: [after, windowMs, limit],
    }),
  };
}

function snapshotSql(incarnation: string): string {
  return `
  SELECT pg_is_in_recovery() AS in_recovery, ${incarnation} AS incarnation, clock.seq, log.mark,
    secret.org_id, secret.provider, secret.secret_id, secret.region, secret.kid, secret.sealed
  FROM byok_clock clock
  JOIN byok_log log ON log.seq = clock.seq
  LEFT JOIN byok_secret secret ON secret.org_id = ANY ($1::text[])
  WHERE clock.id = 1`;
}

function pollSql(incarnation: string): string {
  return `
  WITH start AS (SELECT coalesce(
    $1::bigint,
    CASE WHEN $2::double precision IS NOT NULL THEN coalesce(
      (SELECT max(seq) FROM byok_log WHERE at < clock_timestamp() - $2::double precision * interval '1 millisecond'),
      (SELECT min(seq) FROM byok_log)) END,
    (SELECT max(seq) FROM byok_log)) AS seq)
  SELECT pg_is_in_recovery() AS in_recovery, ${incarnation} AS incarnation, clock.seq AS head, newest.mark AS head_mark,
    start.seq AS start, log.seq, log.org_id, log.mark
  FROM byok_clock clock
  CROSS JOIN start
  JOIN byok_log newest ON newest.seq = clock.seq
  LEFT JOIN byok_log log ON log.seq >= start.seq
  WHERE clock.id = 1 ORDER BY log.seq LIMIT $3`;
}

export const insertSql = `INSERT INTO byok_secret
  (org_id, provider, secret_id, region, kid, sealed, hint, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

export const describeSql = `SELECT provider, secret_id, region, kid, hint, created_at, created_by
  FROM byok_secret WHERE org_id = $1 ORDER BY provider`;

/** A few rows with every change, from the beginning of the log up to the first that is young, never the newest. */
export const pruneSql = `
  WITH oldest AS (SELECT seq, at < clock_timestamp() - $2::double precision * interval '1 millisecond' AS is_old
    FROM byok_log ORDER BY seq LIMIT 20)
  DELETE FROM byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < $1::bigint
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE NOT is_old), $1::bigint))`;
