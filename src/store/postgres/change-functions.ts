import { type AccountColumns, assertIsolation, limitLocks, mine, now } from "./function-parts.ts";

const takePlace = (schema: string, place: string): string =>
  `INSERT INTO ${schema}.byok_place (org_id, provider, name, place) VALUES (p_org, p_provider, p_name, ${place})
    ON CONFLICT (org_id, provider, name) DO UPDATE SET place = EXCLUDED.place;`;

const keysOf = (
  schema: string,
): string => `(SELECT coalesce(json_object_agg(stored.provider, stored.secret_id), '{}')::text
    FROM ${schema}.byok_secret stored WHERE stored.org_id = p_org AND stored.name = 'default')`;

/** A few old rows go with every change, from the beginning of the log up to the first that is young, never the newest. */
const pruneLog = (schema: string, newest: string, changes: string): string => `
  WITH oldest AS (SELECT seq, at_ms FROM ${schema}.byok_log ORDER BY seq LIMIT 20 * ${changes})
  DELETE FROM ${schema}.byok_log WHERE seq IN (SELECT seq FROM oldest WHERE seq < ${newest}
    AND seq < coalesce((SELECT min(seq) FROM oldest WHERE at_ms >= v_at - p_keep_ms), ${newest}));`;

export const appendBody = (schema: string): string => `
DECLARE v_seq bigint; v_at bigint;
BEGIN
  UPDATE ${schema}.byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq INTO STRICT v_seq;
  v_at := ${now};
  INSERT INTO ${schema}.byok_log (seq, org_id, change_id, at_ms) VALUES (v_seq, p_org, gen_random_uuid()::text, v_at);
  ${pruneLog(schema, "v_seq", "1")}
  RETURN v_seq;
END`;

/** Places are locked in one order, so that no two batches wait for each other. */
const inOrder = (table: string): string =>
  `ORDER BY ${table}.org_id COLLATE "C", ${table}.provider COLLATE "C", ${table}.name COLLATE "C"`;

export const placesBody = (schema: string, columns: AccountColumns): string => {
  const given = "jsonb_to_recordset(p_refs::jsonb) AS given(ordinal integer, org_id text, provider text, name text)";
  return `
BEGIN
  ${assertIsolation}
  ${limitLocks}
  INSERT INTO ${schema}.byok_place (org_id, provider, name, place)
    SELECT given.org_id, given.provider, given.name, p_place FROM ${given} ${inOrder("given")}
    ON CONFLICT (org_id, provider, name) DO UPDATE SET place = EXCLUDED.place;
  RETURN QUERY SELECT given.ordinal, stored.secret_id,${columns("stored.")} stored.region FROM ${given}
    JOIN ${schema}.byok_secret stored USING (org_id, provider, name);
END`;
};

export const putBody = (schema: string, columns: AccountColumns): string => `
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
    (org_id, provider, name, secret_id, seq, region,${columns()} kid, sealed, hint, verdict, created_at_ms, created_by, checked_at_ms)
  VALUES (p_org, p_provider, p_name, p_secret_id, v_seq, p_region,${columns("p_")} p_kid, p_sealed, p_hint, p_verdict, v_at, p_actor,
    CASE WHEN p_verdict IN ('passed', 'restricted') THEN v_at END);
  INSERT INTO ${schema}.byok_audit
    (seq, at_ms, org_id, actor, provider, name, action, secret_id, previous_secret_id, region,${columns()} verdict, hint)
  VALUES (v_seq, v_at, p_org, p_actor, p_provider, p_name,
    CASE WHEN v_before.secret_id IS NULL THEN 'added' ELSE 'replaced' END,
    p_secret_id, v_before.secret_id, p_region,${columns("p_")} p_verdict, p_hint);
  RETURN QUERY SELECT 'stored', v_seq, v_before.secret_id, ${keysOf(schema)};
END`;

/** What is given of a key, and what the function finds out: which number it takes, and what it replaces. */
const keyColumns = (
  columns: AccountColumns,
): string => `ordinal integer, org_id text, provider text, name text, place uuid,
    secret_id text, region text,${columns("", " text")} kid text, sealed text, hint text, actor text, verdict text`;

/** One after the other, each statement sees what those before it have waited for; the clock is held for the last ones. */
export const putManyBody = (schema: string, columns: AccountColumns): string => `
DECLARE v_fresh jsonb; v_count bigint; v_last bigint; v_at bigint;
BEGIN
  ${assertIsolation}
  ${limitLocks}
  PERFORM 1 FROM (SELECT FROM ${schema}.byok_place taken
    JOIN jsonb_to_recordset(p_keys::jsonb) AS given(${keyColumns(columns)}) USING (org_id, provider, name)
    ${inOrder("taken")} FOR UPDATE OF taken) locked;
  RETURN QUERY SELECT given.ordinal, stored.seq, NULL::text
    FROM jsonb_to_recordset(p_keys::jsonb) AS given(${keyColumns(columns)})
    JOIN ${schema}.byok_secret stored USING (org_id, provider, name) WHERE stored.secret_id = given.secret_id;
  SELECT jsonb_agg(to_jsonb(fresh)), count(*) INTO v_fresh, v_count FROM (
    SELECT given.*, stored.secret_id AS previous, row_number() OVER (ORDER BY given.ordinal) AS turn
    FROM jsonb_to_recordset(p_keys::jsonb) AS given(${keyColumns(columns)})
    JOIN ${schema}.byok_place taken USING (org_id, provider, name)
    LEFT JOIN ${schema}.byok_secret stored USING (org_id, provider, name)
    WHERE taken.place = given.place AND stored.secret_id IS DISTINCT FROM given.secret_id) fresh;
  IF v_count = 0 THEN RETURN; END IF;
  UPDATE ${schema}.byok_clock SET seq = seq + v_count WHERE id = 1 RETURNING seq INTO STRICT v_last;
  v_at := ${now};
  INSERT INTO ${schema}.byok_log (seq, org_id, change_id, at_ms)
    SELECT v_last - v_count + fresh.turn, fresh.org_id, gen_random_uuid()::text, v_at
    FROM jsonb_to_recordset(v_fresh) AS fresh(org_id text, turn bigint);
  ${pruneLog(schema, "v_last", "v_count")}
  DELETE FROM ${schema}.byok_secret stored USING jsonb_to_recordset(v_fresh) AS fresh(previous text)
    WHERE stored.secret_id = fresh.previous;
  INSERT INTO ${schema}.byok_secret
    (org_id, provider, name, secret_id, seq, region,${columns()} kid, sealed, hint, verdict, created_at_ms, created_by, checked_at_ms)
  SELECT fresh.org_id, fresh.provider, fresh.name, fresh.secret_id, v_last - v_count + fresh.turn, fresh.region,${columns("fresh.")} fresh.kid,
    fresh.sealed, fresh.hint, fresh.verdict, v_at, fresh.actor, CASE WHEN fresh.verdict IN ('passed', 'restricted') THEN v_at END
  FROM jsonb_to_recordset(v_fresh) AS fresh(${keyColumns(columns)}, turn bigint);
  INSERT INTO ${schema}.byok_audit
    (seq, at_ms, org_id, actor, provider, name, action, secret_id, previous_secret_id, region,${columns()} verdict, hint)
  SELECT v_last - v_count + fresh.turn, v_at, fresh.org_id, fresh.actor, fresh.provider, fresh.name,
    CASE WHEN fresh.previous IS NULL THEN 'added' ELSE 'replaced' END,
    fresh.secret_id, fresh.previous, fresh.region,${columns("fresh.")} fresh.verdict, fresh.hint
  FROM jsonb_to_recordset(v_fresh) AS fresh(${keyColumns(columns)}, previous text, turn bigint) ORDER BY fresh.turn;
  RETURN QUERY SELECT fresh.ordinal, v_last - v_count + fresh.turn, fresh.previous
    FROM jsonb_to_recordset(v_fresh) AS fresh(ordinal integer, previous text, turn bigint);
END`;

export const removeBody = (schema: string, columns: AccountColumns): string => `
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
    (seq, at_ms, org_id, actor, provider, name, action, previous_secret_id, region,${columns()} hint)
  VALUES (v_seq, ${now}, p_org, p_actor, p_provider, p_name, 'removed', v_before.secret_id, v_before.region,
    ${columns("v_before.").trimStart()} v_before.hint);
  RETURN QUERY SELECT 'stored', v_seq, v_before.secret_id, ${keysOf(schema)};
END`;
