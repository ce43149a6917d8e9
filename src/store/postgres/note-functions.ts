import { type AccountColumns, assertIsolation, limitLocks, mine, now } from "./function-parts.ts";

export const noteCheckBody = (schema: string, columns: AccountColumns): string => `
DECLARE v_stored ${schema}.byok_secret%ROWTYPE;
BEGIN
  ${limitLocks}
  UPDATE ${schema}.byok_secret SET verdict = p_verdict, checked_at_ms = ${now}
    WHERE ${mine} AND secret_id = p_secret_id RETURNING * INTO v_stored;
  IF v_stored.secret_id IS NULL THEN RETURN false; END IF;
  INSERT INTO ${schema}.byok_audit (at_ms, org_id, actor, provider, name, action, secret_id, region,${columns()} verdict, hint)
  VALUES (v_stored.checked_at_ms, p_org, p_actor, p_provider, p_name, 'verified', p_secret_id, v_stored.region,${columns("v_stored.")} p_verdict,
    v_stored.hint);
  RETURN true;
END`;

/** One row a minute, provider and actor, which counts: a guesser fills no table. */
export const noteAttemptBody = (schema: string): string => `
DECLARE v_at bigint := ${now};
BEGIN
  ${limitLocks}
  INSERT INTO ${schema}.byok_audit (at_ms, org_id, actor, provider, name, action, minute)
  VALUES (v_at, p_org, p_actor, p_provider, p_name, 'attempted', v_at / 60000)
  ON CONFLICT (org_id, provider, name, coalesce(actor, ''), minute) WHERE action = 'attempted'
  DO UPDATE SET times = byok_audit.times + 1;
END`;

/**
 * The one function that a worker may call: it notes one of three words, and when, beside a key that is there, and leaves
 * three rows of each in the trail at most. A key that says that word already is not locked.
 */
export const noteUseBody = (schema: string, columns: AccountColumns): string => `
DECLARE v_stored ${schema}.byok_secret%ROWTYPE;
BEGIN
  ${assertIsolation}
  IF p_verdict IS NULL OR p_verdict NOT IN ('passed', 'invalid', 'exhausted') THEN
    RAISE EXCEPTION 'No verdict of a use.' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  ${limitLocks}
  UPDATE ${schema}.byok_secret SET verdict = p_verdict, checked_at_ms = ${now}
    WHERE ${mine} AND secret_id = p_secret_id
      AND CASE p_verdict WHEN 'passed' THEN verdict IN ('invalid', 'exhausted') ELSE verdict <> p_verdict END
    RETURNING * INTO v_stored;
  IF v_stored.secret_id IS NULL THEN
    RETURN EXISTS (SELECT FROM ${schema}.byok_secret WHERE ${mine} AND secret_id = p_secret_id);
  END IF;
  INSERT INTO ${schema}.byok_audit (at_ms, org_id, provider, name, action, secret_id, region,${columns()} verdict, hint)
  VALUES (v_stored.checked_at_ms, p_org, p_provider, p_name, 'observed', p_secret_id, v_stored.region,${columns("v_stored.")} p_verdict,
    v_stored.hint)
  ON CONFLICT (secret_id, verdict) WHERE action = 'observed' DO NOTHING;
  RETURN true;
END`;
