import { maxWindowRows } from "../change-log.ts";

export interface HeadRow {
  readonly incarnation: string;
  readonly seq: number;
  readonly change_id: string;
}

export interface PollRow {
  readonly incarnation: string;
  readonly head: number;
  readonly head_change_id: string;
  readonly start: number;
  readonly seq: number | null;
  readonly org_id: string;
  readonly change_id: string;
}

const composeSnapshotSql = (isAskedFor: string): string => `
  SELECT clock.incarnation, clock.seq, log.change_id,
    secret.org_id, secret.provider, secret.name, secret.secret_id, secret.region,
    secret.organization, secret.project, secret.kid, secret.sealed
  FROM byok_clock clock
  JOIN byok_log log ON log.seq = clock.seq
  LEFT JOIN byok_secret secret ON secret.org_id ${isAskedFor}
  WHERE clock.id = 1`;

export const snapshotSql: string = composeSnapshotSql("= ?");

/** Of several organisations, as a list in JSON. */
export const snapshotsSql: string = composeSnapshotSql("IN (SELECT value FROM json_each(?))");

export const pollSql: string = `
  WITH start AS (SELECT coalesce(
    $after,
    CASE WHEN $since IS NOT NULL THEN max(coalesce(
      (SELECT seq FROM byok_log WHERE at_ms < $since ORDER BY at_ms DESC, seq DESC LIMIT 1), (SELECT min(seq) FROM byok_log)),
      (SELECT max(seq) - ${maxWindowRows} FROM byok_log)) END,
    (SELECT max(seq) FROM byok_log)) AS seq)
  SELECT clock.incarnation, clock.seq AS head, newest.change_id AS head_change_id, start.seq AS start, log.seq, log.org_id, log.change_id
  FROM byok_clock clock
  JOIN start
  JOIN byok_log newest ON newest.seq = clock.seq
  LEFT JOIN (SELECT seq, org_id, change_id FROM byok_log
    WHERE seq >= (SELECT seq FROM start) ORDER BY seq LIMIT $limit) log ON true
  WHERE clock.id = 1 ORDER BY log.seq`;

/** A few rows with every change, from the beginning of the log up to the first that is young, never the newest. */
export const pruneSql = `
  WITH oldest AS (SELECT seq, at_ms FROM byok_log ORDER BY seq LIMIT 20)
  DELETE FROM byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < $seq
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE at_ms >= $since), $seq))`;

export const placeSql = `INSERT INTO byok_place (org_id, provider, name, place) VALUES (?, ?, ?, ?)
  ON CONFLICT (org_id, provider, name) DO UPDATE SET place = excluded.place`;

export const findPlaceSql = "SELECT place FROM byok_place WHERE org_id = ? AND provider = ? AND name = ?";

export const findSecretSql = `SELECT secret_id, seq, region, organization, project, hint FROM byok_secret
  WHERE org_id = ? AND provider = ? AND name = ?`;

export const deleteSql = "DELETE FROM byok_secret WHERE org_id = ? AND provider = ? AND name = ?";

export const insertSql = `INSERT INTO byok_secret
  (org_id, provider, name, secret_id, seq, region, organization, project, kid, sealed, hint, verdict, created_at_ms,
    created_by, checked_at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const insertAuditSql = `INSERT INTO byok_audit
  (seq, at_ms, org_id, actor, provider, name, action, secret_id, previous_secret_id, region, organization, project, verdict,
    hint)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** One row a minute, reference and actor, which counts. */
export const attemptSql = `INSERT INTO byok_audit (at_ms, org_id, actor, provider, name, action, minute)
  VALUES ($at, $orgId, $actor, $provider, $name, 'attempted', $minute)
  ON CONFLICT (org_id, provider, name, coalesce(actor, ''), minute) WHERE action = 'attempted'
  DO UPDATE SET times = times + 1`;

export const describeSql = "SELECT * FROM byok_secret WHERE org_id = ? ORDER BY provider, name";

export const noteCheckSql = `UPDATE byok_secret SET verdict = $verdict, checked_at_ms = $at
  WHERE org_id = $orgId AND provider = $provider AND name = $name AND secret_id = $secretId RETURNING
  region, organization, project, hint`;

export const findVerdictSql = `SELECT verdict FROM byok_secret
  WHERE secret_id = $secretId AND org_id = $orgId AND provider = $provider AND name = $name`;

export const noteUseSql = "UPDATE byok_secret SET verdict = $verdict, checked_at_ms = $at WHERE secret_id = $secretId";

/** One row at most for each secret and verdict. */
export const observeSql = `INSERT INTO byok_audit
  (at_ms, org_id, provider, name, action, secret_id, region, organization, project, verdict, hint)
  SELECT checked_at_ms, org_id, provider, name, 'observed', secret_id, region, organization, project, verdict, hint
  FROM byok_secret WHERE secret_id = ?
  ON CONFLICT (secret_id, verdict) WHERE action = 'observed' DO NOTHING`;

export const auditSql = `SELECT * FROM byok_audit
  WHERE org_id = $orgId AND id < coalesce($before, 9007199254740991) ORDER BY id DESC LIMIT $limit`;
