import { maxLogRows, maxWindowRows } from "../change-log.ts";
import { asText } from "./postgres-changes.ts";
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

/** The statements that read. Rows cross as text. */
export interface ReadStatements {
  snapshots(orgIds: readonly string[]): PostgresQuery;
  /** From `after` on, or where there is none from the first change in `windowMs`, or the newest: a row more than a page has. */
  poll(after: number | null, windowMs: number | null): PostgresQuery;
  describe(orgId: string): PostgresQuery;
  audit(orgId: string, before: number | null, limit: number): PostgresQuery;
}

/** Read in the same statement as everything else, and once for all of its rows. */
const inRecovery = "(SELECT pg_is_in_recovery())";

/** A promoted standby has a timeline of its own. */
const timeline = `(SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END)`;

/**
 * Classes of SQLSTATE that say that the timeline cannot be had: the right is missing, or the server has it and raises all
 * the same (Aurora: 0A000 or 55000).
 */
const withoutTimeline = /^(?:0A|42|55|XX)/u;

/** Those that show the server's timeline where it can be read, which is tried once, else those that do not. */
export async function chooseStatements(client: PostgresPoolClient, prefix: string): Promise<ReadStatements> {
  try {
    await client.query({ text: `SELECT ${timeline} AS timeline` });
    return buildStatements("byok_timeline", prefix, `clock.incarnation || '.' || ${timeline}`);
  } catch (error) {
    if (!withoutTimeline.test(String((error as { code?: unknown }).code))) throw error;
    return buildStatements("byok", prefix, "clock.incarnation");
  }
}

/** Named, so that each connection prepares them once. Columns by name: a newer release may add some. */
function buildStatements(name: string, prefix: string, incarnation: string): ReadStatements {
  // Searched for as the first of what follows: a log that is short would be read as a whole to be joined.
  const composeNewest = (as: string): string => `
  JOIN LATERAL (SELECT seq, change_id FROM ${prefix}byok_log
    WHERE seq >= clock.seq ORDER BY seq LIMIT 1) ${as} ON ${as}.seq = clock.seq`;
  const composeSnapshot = (isAskedFor: string): string => `
  SELECT ${inRecovery} AS in_recovery, ${incarnation} AS incarnation, clock.seq, log.change_id,
    secret.org_id, secret.provider, secret.name, secret.secret_id, secret.region,
    secret.organization, secret.project, secret.kid, secret.sealed
  FROM ${prefix}byok_clock clock${composeNewest("log")}
  LEFT JOIN ${prefix}byok_secret secret ON secret.org_id ${isAskedFor}
  WHERE clock.id = 1`;
  // Postgres keeps the plan of a comparison; that of a list it makes anew each time, which takes longer than the read.
  const snapshot = composeSnapshot("= $1");
  const snapshots = composeSnapshot("= ANY ($1::text[])");
  const composePoll = (start: string): string => `
  SELECT ${inRecovery} AS in_recovery, ${incarnation} AS incarnation, clock.seq AS head, newest.change_id AS head_change_id,
    ${start} AS start, log.seq, log.org_id, log.change_id
  FROM ${prefix}byok_clock clock${composeNewest("newest")}
  LEFT JOIN LATERAL (SELECT seq, org_id, change_id FROM ${prefix}byok_log
    WHERE seq >= ${start} ORDER BY seq LIMIT ${maxLogRows + 1}) log ON true
  WHERE clock.id = 1 ORDER BY log.seq`;
  // The number in a query of its own, the limit in the text: where Postgres sees how few rows are behind a number, it makes a
  // plan for each, which takes longer than the read.
  const poll = composePoll("(SELECT $1::bigint)");
  // The time of the statement: an index cannot be searched by a clock that goes on meanwhile.
  const begin = `
  WITH start AS (SELECT coalesce(
    CASE WHEN $1::double precision IS NOT NULL THEN greatest(coalesce(
      (SELECT seq FROM ${prefix}byok_log
        WHERE at_ms < (extract(epoch FROM statement_timestamp()) * 1000 - $1::double precision)::bigint
        ORDER BY at_ms DESC, seq DESC LIMIT 1),
      (SELECT min(seq) FROM ${prefix}byok_log)),
      (SELECT max(seq) - ${maxWindowRows} FROM ${prefix}byok_log)) END,
    (SELECT max(seq) FROM ${prefix}byok_log)) AS seq)${composePoll("(SELECT seq FROM start)")}`;
  const describe = `SELECT provider, name, secret_id, region, organization, project, kid, sealed, hint, created_at_ms,
    created_by, verdict, checked_at_ms FROM ${prefix}byok_secret WHERE org_id = $1 ORDER BY provider, name`;
  const audit = `SELECT id, seq, at_ms, actor, provider, name, action, secret_id, previous_secret_id, region,
    organization, project, verdict, hint, times FROM ${prefix}byok_audit WHERE org_id = $1 AND id < coalesce($2::bigint, 9223372036854775807) ORDER BY id DESC LIMIT $3`;
  const build = (kind: string, text: string, values: unknown[]): PostgresQuery => ({
    name: `${name}_${kind}`,
    text,
    values,
    types: asText,
  });
  return {
    snapshots: (orgIds) =>
      orgIds.length === 1 ? build("snapshot", snapshot, [...orgIds]) : build("snapshots", snapshots, [orgIds]),
    poll: (after, windowMs) =>
      after === null ? build("beginning", begin, [windowMs]) : build("changes", poll, [after]),
    describe: (orgId) => build("describe", describe, [orgId]),
    audit: (orgId, before, limit) => build("audit", audit, [orgId, before, limit]),
  };
}
