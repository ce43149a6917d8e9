import { appendBody, placesBody, putBody, putManyBody, removeBody } from "./change-functions.ts";
import { type AccountColumns, ref } from "./function-parts.ts";
import { noteAttemptBody, noteCheckBody, noteUseBody } from "./note-functions.ts";

/**
 * The changes, as functions that run on the server: one round trip each, however far away it is. Their statements see
 * what their locks have waited for, which a single statement does not.
 *
 * Places are always locked before the clock, so that no two changes wait for each other. Every function runs with the
 * rights of the role that migrated, so that no other role can change a key and leave no row in the log and the audit trail.
 * A name carries its version: a release adds functions, and the release after the next one drops the old ones.
 */

/** 1: without a key's account. 3: what a call found out of a key. */
export type FunctionsVersion = 1 | 2 | 3;

/** Creates every function of that version that is new in it, in `schema`, an identifier that is quoted already. */
export function composeFunctions(schema: string, version: FunctionsVersion): string {
  const account = version === 1 ? [] : ["organization", "project"];
  const columns: AccountColumns = (prefix = "", suffix = "") =>
    account.map((column) => ` ${prefix}${column}${suffix},`).join("");
  const define = (signature: string, returns: string, body: string): string => `
  CREATE OR REPLACE FUNCTION ${schema}.${signature} RETURNS ${returns}
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ${schema}, pg_temp AS $body$
  #variable_conflict use_column
  ${body}
  $body$;
  REVOKE ALL ON FUNCTION ${schema}.${signature.slice(0, signature.indexOf("("))} FROM PUBLIC;`;
  if (version === 3) {
    const signature = `byok_note_use_3(${ref}, p_secret_id text, p_verdict text, p_limit_ms integer)`;
    return define(signature, "boolean", noteUseBody(schema, columns));
  }
  const changes = [
    define(
      `byok_places_${version}(p_refs text, p_place uuid, p_limit_ms integer)`,
      `TABLE (ordinal integer, secret_id text,${columns("", " text")} region text)`,
      placesBody(schema, columns),
    ),
    define(
      `byok_put_${version}(${ref}, p_place uuid, p_own_place uuid, p_secret_id text, p_region text,${columns("p_", " text")} p_kid text, p_sealed text,
    p_hint text, p_actor text, p_verdict text, p_keep_ms bigint, p_limit_ms integer)`,
      "TABLE (outcome text, seq bigint, previous text, keys text)",
      putBody(schema, columns),
    ),
    define(
      `byok_put_many_${version}(p_keys text, p_keep_ms bigint, p_limit_ms integer)`,
      "TABLE (ordinal integer, seq bigint, previous text)",
      putManyBody(schema, columns),
    ),
    define(
      `byok_remove_${version}(${ref}, p_place uuid, p_actor text, p_keep_ms bigint, p_limit_ms integer)`,
      "TABLE (outcome text, seq bigint, previous text, keys text)",
      removeBody(schema, columns),
    ),
    define(
      `byok_note_check_${version}(${ref}, p_secret_id text, p_verdict text, p_actor text, p_limit_ms integer)`,
      "boolean",
      noteCheckBody(schema, columns),
    ),
  ];
  if (version !== 1) return changes.join("\n");
  const append = define("byok_append_1(p_org text, p_keep_ms bigint)", "bigint", appendBody(schema));
  const noteAttempt = define(
    `byok_note_attempt_1(${ref}, p_actor text, p_limit_ms integer)`,
    "void",
    noteAttemptBody(schema),
  );
  return [append, ...changes, noteAttempt].join("\n");
}
