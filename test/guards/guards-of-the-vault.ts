import { type Guard, guardsOf } from "./guard.ts";

/** The rules of a sealed key, and what the stores owe. */
export const guardsOfTheVault: readonly Guard[] = [
  ...guardsOf("keyring/local-keyring.ts", "keyring/local-keyring.test.ts", [
    ["the key's algorithm", "keyManagementAlgorithms: [alg],", "", "its algorithms"],
    ["the content's algorithm", "contentEncryptionAlgorithms: [enc],", "", "its algorithms"],
    [
      "no key but the kid's",
      "const key = ring.keys.get(kid);",
      "const key = ring.keys.get(kid) ?? primaryKey;",
      "keyring lacks",
    ],
    ["the organisation", 'header["org"] === orgId &&', "", "another organisation"],
    ["the secret id", 'header["sid"] === secretId &&', "", "another secret"],
    ["the provider", 'header["prv"] === provider &&', "", "another provider"],
    ["the region", '(header["rgn"] ?? null) === region', "true", "another region"],
    ["the kind of token", 'header["typ"] === typ &&', "", "not taken"],
    [
      "the size that is parsed",
      "sealed.length <= maxSealedLength ? parseKid(sealed) : undefined",
      "kidOf(sealed)",
      "opens under",
    ],
    ["the size that is made", "if (sealed.length > maxSealedLength) throw tooLong(context);", "", "never made"],
  ]),
  ...guardsOf("keyring/keyring-json.ts", "keyring/local-keyring.test.ts", [
    ["kids once", "if (keys.has(kid)) throw", "if (false) throw", "kid twice"],
    ["32 bytes", "bytes.length !== 32 || ", "", "key of 31"],
    ["a primary that is there", "primaryKey === undefined)", "false)", "cache primary"],
    ["one key in one ring", "if (key.equals(cacheKey)) throw", "if (false) throw", "both rings"],
    [
      "keys that cannot be printed",
      "keys.set(kid, createSecretKey(bytes));",
      "keys.set(kid, bytes as never);",
      "an opaque",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-store.ts", "store/sqlite/sqlite-store.test.ts", [
    ["a file that was replaced", "file.refresh();", "", "shows another"],
    [
      "an audit row of a stored key",
      "appendAudit(prepare, orgId, composeAuditRow({ seq, actor, provider, before, stored: key }));",
      "",
      "audit",
    ],
    [
      "an audit row of a removed key",
      "appendAudit(prepare, orgId, composeAuditRow({ seq, actor, provider, before }));",
      "",
      "audit row",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-statements.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "the head for an organisation without keys",
      "LEFT JOIN byok_secret secret ON",
      "JOIN byok_secret secret ON",
      "fails writers",
    ],
    [
      "a check of the secret that was asked for",
      "AND provider = $provider AND secret_id = $secretId",
      "AND provider = $provider AND $secretId <> ''",
      "notes what",
    ],
    [
      "an organisation's own trail",
      "WHERE org_id = $orgId AND seq < coalesce",
      "WHERE $orgId <> '' AND seq < coalesce",
      "audit row",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-schema.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "an audit trail that is not edited",
      "BEFORE UPDATE ON byok_audit BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only');",
      "BEFORE UPDATE ON byok_audit BEGIN SELECT 1;",
      "append-only",
    ],
    [
      "an audit trail that is not cut",
      "BEFORE DELETE ON byok_audit BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only');",
      "BEFORE DELETE ON byok_audit BEGIN SELECT 1;",
      "append-only",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", "store/postgres/postgres-store.test.ts", [
    [
      "a check of the secret that was asked for",
      "AND provider = $2 AND secret_id = $3 RETURNING",
      "AND provider = $2 AND $3 <> '' RETURNING",
      "notes what",
    ],
    [
      "an organisation's own trail",
      "WHERE org_id = $1 AND seq < coalesce",
      "WHERE $1::text <> '' AND seq < coalesce",
      "audit row",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-file.ts", "store/sqlite/sqlite-store.test.ts", [
    ["no file but migrate()'s", "if (identity === undefined) {", "if (false) {", "by nothing"],
    ["erased keys", "; PRAGMA secure_delete = ON", "; PRAGMA secure_delete = OFF", "removed key"],
    [
      "waiting for locks",
      "if (!isLocked(error)) throw driverFailed(error);",
      "throw driverFailed(error);",
      "another writer",
    ],
    ["a rollback", 'prepare("ROLLBACK").run();', "", "change back"],
  ]),
  ...guardsOf("store/postgres/postgres-store.ts", "store/postgres/postgres-store.test.ts", [
    ["an end to a paused transaction", "const limit = Math.ceil(timeoutMs);", "const limit = 0;", "was paused"],
    ["an end to a wait on the server", "const limit = Math.ceil(timeoutMs);", "const limit = 0;", "on the server too"],
  ]),
  ...guardsOf("store/postgres/postgres-changes.ts", "store/postgres/postgres-store.test.ts", [
    [
      "the clock row first",
      "const seq = await appendLog(client, orgId, logKeepMs);\n  const before = await removeSecret(client, key);",
      "const before = await removeSecret(client, key);\n  const seq = await appendLog(client, orgId, logKeepMs);",
      "fifty",
    ],
    [
      "an audit row of a stored key",
      "await appendAudit(client, orgId, composeAuditRow({ seq, actor, provider, before, stored: key }));",
      "",
      "audit",
    ],
    [
      "an audit row of a removed key",
      "await appendAudit(client, orgId, composeAuditRow({ seq, actor, provider, before }));",
      "",
      "audit",
    ],
    [
      "a remove that finds nothing",
      'await client.query({ text: "ROLLBACK" });',
      'await client.query({ text: "COMMIT" });',
      "shows change",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-store.ts", "store/postgres/postgres-standby.test.ts", [
    ["no read from a standby", "if (first.in_recovery) throw", "if (false) throw", "refused, whatever"],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", "store/postgres/postgres-standby.test.ts", [
    ["the timeline", ".may_read ? withTimeline : plain", ".may_read ? plain : plain", "was promoted"],
  ]),
  ...guardsOf("store/postgres/postgres-client.ts", "store/postgres/postgres-store.test.ts", [
    ["a listener on the connection", 'client.on("error", ignore);', "", "checked out and idle"],
    ["a connection's deadline", "Promise.race([connecting, expired.promise])", "connecting", "no connection to give"],
    ["no reuse after a failure", "client?.release(!isHealthy)", "client?.release(false)", "does nothing"],
    ["no text of the driver's", "return driverFailed(error);", "throw error;", "shows no text"],
  ]),
  ...guardsOf("store/postgres/postgres-schema.ts", "store/postgres/postgres-store.test.ts", [
    [
      "an audit trail that stays",
      "BEFORE UPDATE OR DELETE OR TRUNCATE ON byok_audit",
      "BEFORE INSERT ON byok_clock",
      "append-only",
    ],
    [
      "one migration at a time",
      'await query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);',
      "",
      "migrates once",
    ],
  ]),
];
