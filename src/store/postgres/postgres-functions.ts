/**
 * The changes, as functions that run on the server: one round trip each, however far away it is. Their statements see
 * what their locks have waited for, which a single statement does not.
 *
 * Places are always locked before the clock, so that no two changes wait for each other. Every function runs with the
 * rights of whoever migrated, so that no other role can change a key and leave no row in the log and the audit trail.
 * A name carries its version: a release adds functions, and the release after the next one drops the old ones.
 */

/** The SQLSTATE of ours that says: this connection does not read what was committed while it waited. */
export const wrongIsolation = "BY001";

/** Creates every function in `schema`, an identifier that is quoted already. */
export function composeFunctions(schema: string): string {
  const define = (signature: string, returns: string, body: string): string => `
  CREATE OR REPLACE FUNCTION ${schema}.${signature} RETURNS ${returns}
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ${schema}, pg_temp AS $body$
  #variable_conflict use_column
  ${body}
  $body$;
  REVOKE ALL ON FUNCTION ${schema}.${signature.slice(0, signature.indexOf("("))} FROM PUBLIC;`;
  const functions = [
    define("byok_append_1(p_org text, p_keep_ms bigint)", "bigint", appendBody(schema)),
    define(
      `byok_place_1(${ref}, p_place uuid, p_limit_ms integer)`,
      "TABLE (secret_id text, region text)",
      placeBody(schema),
    ),
    define(
      `byok_put_1(${ref}, p_place uuid, p_own_place uuid, p_secret_id text, p_region text, p_kid text, p_sealed text,
    p_hint text, p_actor text, p_verdict text, p_keep_ms bigint, p_limit_ms integer)`,
      "TABLE (outcome text, seq bigint, previous text, keys text)",
      putBody(schema),
    ),
    define(
      `byok_remove_1(${ref}, p_place uuid, p_actor text, p_keep_ms bigint, p_limit_ms integer)`,
      "TABLE (outcome text, seq bigint, previous text, keys text)",
      removeBody(schema),
    ),
    define(
      `byok_note_check_1(${ref}, p_secret_id text, p_verdict text, p_actor text, p_limit_ms integer)`,
      "boolean",
      noteCheckBody(schema),
    ),
    define(`byok_note_attempt_1(${ref}, p_actor text, p_limit_ms integer)`, "void", noteAttemptBody(schema)),
  ];
  return functions.join("\n");
}

const ref = "p_org text, p_provider text, p_name text";
const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const mine = "org_id = p_org AND provider = p_provider AND name = p_name";

/** A lock is waited for no longer than its caller waits. */
const limitLocks = "PERFORM set_config('lock_timeout', p_limit_ms::text, true);";

const assertIsolation = `IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'A change needs READ COMMITTED.' USING ERRCODE = '${wrongIsolation}';
  END IF;`;

const takePlace = (schema: string, place: string): string =>
  `INSERT INTO ${schema}.byok_place (org_id, provider, name, place) VALUES (p_org, p_provider, p_name, ${place})
    ON CONFLICT (org_id, provider, name) DO UPDATE SET place = EXCLUDED.place;`;

const keysOf = (
  schema: string,
): string => `(SELECT coalesce(json_object_agg(stored.provider, stored.secret_id), '{}')::text
    FROM ${schema}.byok_secret stored WHERE stored.org_id = p_org AND stored.name = 'default')`;

/** A few old rows go with every change, from the beginning of the log up to the first that is young, never the newest. */
const appendBody = (schema: string): string => `
DECLARE v_seq bigint; v_at bigint;
BEGIN
  UPDATE ${schema}.byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq INTO STRICT v_seq;
  v_at := ${now};
  INSERT INTO ${schema}.byok_log (seq, org_id, change_id, at_ms) VALUES (v_seq, p_org, gen_random_uuid()::text, v_at);
  WITH oldest AS (SELECT seq, at_ms FROM ${schema}.byok_log ORDER BY seq LIMIT 20)
  DELETE FROM ${schema}.byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < v_seq
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE at_ms >= v_at - p_keep_ms), v_seq));
  RETURN v_seq;
END`;

const placeBody = (schema: string): string => `
BEGIN
  ${assertIsolation}
  ${limitLocks}
  ${takePlace(schema, "p_place")}
  RETURN QUERY SELECT stored.secret_id, stored.region FROM ${schema}.byok_secret stored WHERE ${mine};
END`;

const putBody = (schema: string): string => `
DECLARE v_place uuid; v_before ${schema}.byok_secret%ROWTYPE; v_seq bigint; v_at bigint;
BEGIN
  ${assertIsolation}
  ${limitLocks}
  IF p_place IS NULL THEN
    ${takePlace(schema, "p_own_place")}
  ELSE
    SELECT place INTO v_place FROM ${schema}.byok_place WHERE ${mine} FOR UPDATE;
  END IF;
  SELECT * INTO v_before FROM ${schema}.byok_secret WHERE ${mine};
  IF v_before.secret_id = p_secret_id THEN
    RETURN QUERY SELECT 'stored', v_before.seq, NULL::text, ${keysOf(schema)};
    RETURN;
  END IF;
  IF v_place IS DISTINCT FROM p_place THEN
    RETURN QUERY SELECT 'overtaken', NULL::bigint, NULL::text, NULL::text;
    RETURN;
  END IF;
  v_seq := ${schema}.byok_append_1(p_org, p_keep_ms);
  v_at := ${now};
  DELETE FROM ${schema}.byok_secret WHERE ${mine};
  INSERT INTO ${schema}.byok_secret
    (org_id, provider, name, secret_id, seq, region, kid, sealed, hint, verdict, created_at_ms, created_by, checked_at_ms)
  VALUES (p_org, p_provider, p_name, p_secret_id, v_seq, p_region, p_kid, p_sealed, p_hint, p_verdict, v_at, p_actor,
    CASE WHEN p_verdict IN ('passed', 'restricted') THEN v_at END);
  INSERT INTO ${schema}.byok_audit
    (seq, at_ms, org_id, actor, provider, name, action, secret_id, previous_secret_id, region, verdict, hint)
  VALUES (v_seq, v_at, p_org, p_actor, p_provider, p_name,
    CASE WHEN v_before.secret_id IS NULL THEN 'added' ELSE 'replaced' END,
    p_secret_id, v_before.secret_id, p_region, p_verdict, p_hint);
  RETURN QUERY SELECT 'stored', v_seq, v_before.secret_id, ${keysOf(schema)};
END`;

const removeBody = (schema: string): string => `
DECLARE v_before ${schema}.byok_secret%ROWTYPE; v_seq bigint;
BEGIN
  ${assertIsolation}
  ${limitLocks}
  ${takePlace(schema, "p_place")}
  SELECT * INTO v_before FROM ${schema}.byok_secret WHERE ${mine};
  IF v_before.secret_id IS NULL THEN
    RETURN QUERY SELECT 'stored', clock.seq, NULL::text, ${keysOf(schema)} FROM ${schema}.byok_clock clock WHERE clock.id = 1;
    RETURN;
  END IF;
  v_seq := ${schema}.byok_append_1(p_org, p_keep_ms);
  DELETE FROM ${schema}.byok_secret WHERE ${mine};
  INSERT INTO ${schema}.byok_audit
    (seq, at_ms, org_id, actor, provider, name, action, previous_secret_id, region, hint)
  VALUES (v_seq, ${now}, p_org, p_actor, p_provider, p_name, 'removed', v_before.secret_id, v_before.region, v_before.hint);
  RETURN QUERY SELECT 'stored', v_seq, v_before.secret_id, ${keysOf(schema)};
END`;

const noteCheckBody = (schema: string): string => `
DECLARE v_stored ${schema}.byok_secret%ROWTYPE;
BEGIN
  ${limitLocks}
  UPDATE ${schema}.byok_secret SET verdict = p_verdict, checked_at_ms = ${now}
    WHERE ${mine} AND secret_id = p_secret_id RETURNING * INTO v_stored;
  IF v_stored.secret_id IS NULL THEN RETURN false; END IF;
  INSERT INTO ${schema}.byok_audit (at_ms, org_id, actor, provider, name, action, secret_id, region, verdict, hint)
  VALUES (v_stored.checked_at_ms, p_org, p_actor, p_provider, p_name, 'verified', p_secret_id, v_stored.region, p_verdict,
    v_stored.hint);
  RETURN true;
END`;

/** One row a minute, provider and actor, which counts: a guesser fills no table. */
const noteAttemptBody = (schema: string): string => `
DECLARE v_at bigint := ${now};
BEGIN
  ${limitLocks}
  INSERT INTO ${schema}.byok_audit (at_ms, org_id, actor, provider, name, action, minute)
  VALUES (v_at, p_org, p_actor, p_provider, p_name, 'attempted', v_at / 60000)
  ON CONFLICT (org_id, provider, name, coalesce(actor, ''), minute) WHERE action = 'attempted'
  DO UPDATE SET times = byok_audit.times + 1;
END`;
