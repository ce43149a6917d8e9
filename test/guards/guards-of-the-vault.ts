import { type Guard, guardsOf } from "./guard.ts";

/** The rules of a sealed key, and what the stores owe. */
export const guardsOfTheVault: readonly Guard[] = [
  ...guardsOf("keyring/local-keyring.ts", "keyring/local-keyring.test.ts", [
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
      "sealed.length <= maxSealedLength ? readHeader(sealed) : undefined",
      "readHeader(sealed)",
      "not parsed beyond",
    ],
    ["the size that is made", "if (sealed.length > maxSealedLength) throw tooLong(context);", "", "never made"],
  ]),
  ...guardsOf("keyring/compact-jwe.ts", "keyring/hostile-jwe.test.ts", [
    ["the key's algorithm", 'header["alg"] === alg &&', "", "the alg|no alg"],
    ["the content's algorithm", 'header["enc"] === enc &&', "", "the enc|no enc"],
    ["extensions that must be understood", '!("crit" in header)', "true", "the crit"],
    ["no compressed text", '!("zip" in header)', "true", "the zip|compressed"],
    ["five parts", "parts.length !== 4 || ", "", "six parts|last part twice"],
    ["a header in UTF-8", "isUtf8(bytes) &&", "", "no UTF-8"],
    [
      "a header that is spelt in the one way",
      "const bytes = decodeBase64url(head);",
      'const bytes = Buffer.from(head, "base64url");',
      "a header that is padded|a header with a line feed",
    ],
    [
      "the header that the text is bound to",
      "[iv, text, tag], toBound(head))",
      "[iv, text, tag], unbound)",
      "to nothing",
    ],
  ]),
  ...guardsOf("keyring/decode-base64url.ts", "keyring/hostile-jwe.test.ts", [
    [
      "base64url that is spelt in the one way",
      'bytes.toString("base64url") === text ? bytes : undefined',
      "bytes",
      "part [1-4] (?:padded|behind a blank|with a line feed)|part [134] with stray|for its key (?:that is padded|with a blank)",
    ],
  ]),
  ...guardsOf("keyring/aes-gcm.ts", "keyring/hostile-jwe.test.ts", [
    ["a nonce of twelve bytes", "if (given.iv.length !== ivLength) return undefined;", "", "a nonce of \\d+ bytes"],
    ["a whole tag", "copyOwn({ authTagLength: tagLength })", "{} as CipherGCMOptions", "a tag of (?:15|12|8|4) bytes"],
    ["a tag that is compared", "decipher.final();", "", "part [34] of another token|of that key|wrapped by another"],
  ]),
  ...guardsOf("keyring/keyring-json.ts", "keyring/local-keyring.test.ts", [
    ["kids once", "if (keys.has(kid)) throw", "if (false) throw", "kid twice"],
    ["32 bytes", "bytes?.length !== keyLength", "bytes === undefined", "key of 31"],
    ["a primary that is there", "primaryKey === undefined)", "false)", "cache primary"],
    ["one key in one ring", "if (key.equals(cacheKey)) throw", "if (false) throw", "both rings"],
    [
      "keys that cannot be printed",
      "const key = nodeCrypto().createSecretKey(bytes);",
      "const key = bytes as never;",
      "an opaque",
    ],
  ]),
  ...guardsOf("store/sqlite/open-file.ts", "store/sqlite/sqlite-store.test.ts", [
    ["no file but migrate()'s", "if (found === undefined) {", "if (false) {", "by nothing"],
    ["erased keys", "; PRAGMA secure_delete = ON", "; PRAGMA secure_delete = OFF", "removed key"],
  ]),
  ...guardsOf("store/sqlite/sqlite-file.ts", "store/sqlite/sqlite-store.test.ts", [
    ["waiting for locks", "if (!isLocked(error) && !isDamage", "if (!isDamage", "another writer"],
  ]),
  ...guardsOf("store/sqlite/sqlite-handle.ts", "store/sqlite/sqlite-store.test.ts", [
    ["a rollback", "this.#rollBack();", "", "change back"],
  ]),
  ...guardsOf("store/postgres/postgres-client.ts", "store/postgres/postgres-store.test.ts", [
    ["a listener on the connection", 'client.on("error", ignore);', "", "checked out and idle"],
    ["a connection's deadline", "Promise.race([connecting, expired.promise])", "connecting", "no connection to give"],
    ["no reuse after a failure", "else client.release(true);", "else giveBack(client);", "a transaction failed"],
    [
      "a place that is kept until the backend is done",
      "reclaim(client, working).catch(ignore);",
      "client.release(true);",
      "than its pool has places",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-failure.ts", "store/postgres/postgres-store.test.ts", [
    ["no text of the driver's", "return driverFailed(error);", "throw error;", "shows no text"],
  ]),
  ...guardsOf("store/sqlite/sqlite-file.ts", "store/sqlite/sqlite-replaced.test.ts", [
    [
      "a file that was replaced",
      "if (open !== undefined && isSame(open.identity, identity)) return open;",
      "if (open !== undefined) return open;",
      "is the one that a cold read|that is gone",
    ],
    ["a change that went nowhere", "this.#confirm(open);", "", "in the middle of a change"],
    [
      "reads while others hold the log",
      "return this.#replaceHandle(identity);",
      "throw new FileInMotion();",
      "written back in part",
    ],
    [
      "patience with an index of what stood there before",
      "if (isDamage(error)) this.#closeIfIdle();",
      "if (isDamage(error)) throw toSqliteError(error, this.#path);",
      "with a larger one",
    ],
    ["a damaged file", "if (!isWhole(open.database)) throw", "if (false) throw", "damaged beside a log"],
    [
      "handles that nobody asks",
      "new SqliteHandle(this.#path, found, () => this.#closeOutdated())",
      "new SqliteHandle(this.#path, found, () => {})",
      "copied over.*takes the changes",
    ],
    ["a log that is emptied", "open.emptyLog();", "", "is nothing when the removal"],
  ]),
  ...guardsOf("store/sqlite/file-identity.ts", "store/sqlite/sqlite-replaced.test.ts", [
    ["side files that were deleted", "$" + '{log?.ino ?? "none"}', "", "log was deleted"],
    ["an index that was deleted", "$" + '{index?.ino ?? "none"}', "", "index was deleted"],
    [
      "a copy over the file",
      " && opened.content === found.content",
      "",
      "copied over the same file, beside.*cold read",
    ],
    ["a file that changed just now", "return opened.isSettled && ", "return ", "changed just now"],
  ]),
  ...guardsOf("store/sqlite/open-file.ts", "store/sqlite/sqlite-replaced.test.ts", [
    [
      "side files that others find",
      "if (hasLog && !identity?.hasSideFiles) throw",
      "if (false) throw",
      "index was deleted",
    ],
  ]),
  ...guardsOf("cli/exit-code.ts", "cli/exit-code.test.ts", [
    ["an end without another try", "!error.retryable ||", "", "no repetition mends"],
  ]),
  ...guardsOf("store/sqlite/sqlite-failure.ts", "store/sqlite/sqlite-replaced.test.ts", [
    ["what no waiting mends", "lastingCodes.has(errcode) ? { retryable: false } : {}", "{}", "but to .* is named"],
  ]),
  ...guardsOf("store/sqlite/sqlite-backup.ts", "store/sqlite/sqlite-backup.test.ts", [
    ["a restore over a file", "if (!replaces && hasContent(path)) {", "if (false) {", "asked for by name"],
    [
      "a damaged file that is kept",
      "!withDatabase(path, isWhole) ? moveAside(path)",
      "false ? moveAside(path)",
      "keeps that file",
    ],
    ["a backup over a file", "reserve(target);", "", "never written over"],
    ["a backup of its owner's alone", "0o600));\n      database", "0o644));\n      database", "its owner's alone"],
    [
      "a history of a restore's own",
      'database.prepare("UPDATE main.byok_clock SET incarnation = ?").run(nodeCrypto().randomUUID());',
      "",
      "another history",
    ],
    ["a backup that is whole", "&& withDatabase(source, isUsable)) return;", ") return;", "somebody else's|is a text"],
  ]),
  ...guardsOf("store/postgres/postgres-client.ts", "store/postgres/postgres-pool.test.ts", [
    [
      "no gap without a listener",
      "const returned = pool.connect(takeOnce);",
      "const returned = pool.connect((...given) => queueMicrotask(() => takeOnce(...given)));",
      "in which it has come",
    ],
    [
      "a connection whose cancel is not answered",
      'setTimeout(() => late.reject(new Error("The connection is dead.")), reclaimMs)',
      "setTimeout(() => {}, reclaimMs)",
      "fell silent is dropped|no cancel reaches",
    ],
    [
      "a cancel that is waited for",
      "Promise.all([working.catch(ignore), cancelBackend(client)])",
      "Promise.all([working.catch(ignore), void cancelBackend(client)])",
      "cancel that is late",
    ],
    ["a transaction that is ended", '.then(() => client.query({ text: "ROLLBACK" }))', "", "is rolled back"],
  ]),
  ...guardsOf("store/postgres/cancel-backend.ts", "store/postgres/postgres-pool.test.ts", [
    ["a cancel", "socket.write(request);", "", "ended on the server"],
  ]),
  ...guardsOf("store/postgres/pool-listeners.ts", "store/postgres/postgres-pool.test.ts", [
    ["a listener on the pool", 'pool.on?.("error", onError);', "", "hears its pool's errors"],
    ["no listener on a closed store's pool", 'pool.removeListener?.("error", onError);', "", "listen to it once"],
    ["one listener a pool", "pools.get(pool) ?? startHearing(pool)", "startHearing(pool)", "listen to it once"],
  ]),
  ...guardsOf("store/postgres/pool-gate.ts", "store/postgres/postgres-pool.test.ts", [
    [
      "attempts to connect that are few",
      "if (isCrowded || (opensOne && attempt === undefined)) {",
      "if (isCrowded) {",
      "asked for few",
    ],
    ["connections that serve on", "isAtHand: idleCount > waitingCount", "isAtHand: false", "serve on while"],
    [
      "a wait for a place",
      "client === undefined && !isBusy(error)",
      "client === undefined",
      "calls that wait for a place",
    ],
    ["connections that were open already", "isNew || undefined", "client !== undefined", "says nothing of others"],
    ["calls that wait without end", "this.#waiting >= maxWaiting && hasRoom !== true", "false", "beyond its bound"],
    [
      "a listener that fails",
      "callHook(this.#options.onEvent, event);",
      "void this.#options.onEvent?.(event);",
      "a listener of the caller's that rejects",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-changes.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "a place that a later change took",
      '?.["place"] !== place) return undefined;',
      '?.["place"] === "none") return undefined;',
      "later change has taken|overtake an older save",
    ],
    ["a removal's place", "takePlace(prepare, ref, nodeCrypto().randomUUID());", "", "overtake an older save"],
    ["a put's own success", "if (before?.secretId === secretId) return", "if (false) return", "its own success"],
    [
      "an audit row of a stored key",
      "appendAudit(prepare, orgId, composeAuditRow({ seq, ref: key, actor, before, stored: key }));",
      "",
      "audit row of every change",
    ],
    [
      "an audit row of a removed key",
      "appendAudit(prepare, orgId, composeAuditRow({ seq, ref, actor, before }));",
      "",
      "audit row of every change",
    ],
    [
      "an audit row of a check",
      "appendAudit(prepare, orgId, { ...facts, secretId, verdict, ...shown });",
      "",
      "audit row of every change",
    ],
    ["a log that is pruned", "prepare(pruneSql).run({ seq, since: Date.now() - keepMs });", "", "prunes"],
  ]),
  ...guardsOf("store/sqlite/sqlite-statements.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "the head for an organisation without keys",
      "LEFT JOIN byok_secret secret ON",
      "JOIN byok_secret secret ON",
      "knows the head",
    ],
    [
      "a check of the secret that was asked for",
      "AND name = $name AND secret_id = $secretId",
      "AND name = $name AND $secretId <> ''",
      "notes what",
    ],
    [
      "an organisation's own trail",
      "WHERE org_id = $orgId AND id < coalesce",
      "WHERE $orgId <> '' AND id < coalesce",
      "audit row of every change",
    ],
    ["attempts that are counted", "DO UPDATE SET times = times + 1", "DO NOTHING", "counts attempts"],
  ]),
  ...guardsOf("store/sqlite/sqlite-statements.ts", "store/sqlite/sqlite-plans.test.ts", [
    [
      "a page's rows alone",
      "LEFT JOIN (SELECT seq, org_id, change_id FROM byok_log\n    WHERE seq >= (SELECT seq FROM start) ORDER BY seq LIMIT $limit) log ON true\n  WHERE clock.id = 1 ORDER BY log.seq",
      "LEFT JOIN byok_log log ON log.seq >= start.seq WHERE clock.id = 1 ORDER BY log.seq LIMIT $limit",
      "sorts a page",
    ],
    [
      "a snapshot that is searched for",
      "IN (SELECT value FROM json_each(?))",
      "|| '' IN (SELECT value FROM json_each(?))",
      "sorts nothing: snapshotsSql",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", "store/postgres/postgres-rows-read.test.ts", [
    [
      "a head that is searched for",
      "WHERE seq >= clock.seq ORDER BY seq LIMIT 1)",
      "WHERE seq = clock.seq)",
      "so short that Postgres",
    ],
    ["a plan that is kept", "orgIds.length === 1", "orgIds.length === 0", "plans a snapshot of one"],
    ["a plan of polls that is kept", 'composePoll("(SELECT $1::bigint)")', 'composePoll("$1::bigint")', "plans a poll"],
    [
      "a description that is searched for",
      "WHERE org_id = $1 ORDER BY provider",
      "WHERE org_id || '' = $1 ORDER BY provider",
      "an organisation's description",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-schema.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "an audit trail that is not edited",
      "verdict, hint, minute ON byok_audit\n    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;",
      "verdict, hint, minute ON byok_audit\n    BEGIN SELECT 1; END;",
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
      "a page's rows alone",
      "ORDER BY seq LIMIT $" + "{maxLogRows + 1}) log ON true",
      "ORDER BY seq) log ON true",
      "page from the (?:beginning|middle)",
    ],
    ["a timeline that is tried", "withoutTimeline.test(", "/^42/u.test(", "where the server raises"],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", "store/postgres/postgres-standby.test.ts", [
    [
      "the timeline",
      "return buildStatements(\"byok_timeline\", prefix, `clock.incarnation || '.' || $" + "{timeline}`);",
      'return buildStatements("byok", prefix, "clock.incarnation");',
      "promoted is another",
    ],
  ]),
  ...guardsOf("store/postgres/change-functions.ts", "store/postgres/postgres-store.test.ts", [
    [
      "a removal that finds nothing takes no clock",
      "SELECT 'stored', clock.seq, NULL::text, $" +
        "{keysOf(schema)} FROM $" +
        "{schema}.byok_clock clock WHERE clock.id = 1;",
      "SELECT 'stored', clock.seq, NULL::text, $" +
        "{keysOf(schema)} FROM $" +
        "{schema}.byok_clock clock WHERE clock.id = 1 FOR UPDATE;",
      "no lock that others need",
    ],
    [
      "a log that is pruned",
      "SELECT seq FROM oldest WHERE seq < $" + "{newest}",
      "SELECT seq FROM oldest WHERE seq < 0",
      "prunes",
    ],
  ]),
  ...guardsOf("store/postgres/function-parts.ts", "store/postgres/postgres-store.test.ts", [
    [
      "READ COMMITTED",
      "IF current_setting('transaction_isolation') <> 'read committed' THEN",
      "IF false THEN",
      "by default",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-functions.ts", "store/postgres/postgres-roles.test.ts", [
    [
      "functions that nobody may call by default",
      "REVOKE ALL ON FUNCTION",
      "-- REVOKE ALL ON FUNCTION",
      "calls nothing that changes|beside the functions|may call one function",
    ],
    [
      "functions with the migrator's rights",
      "SECURITY DEFINER",
      "SECURITY INVOKER",
      "may only call the functions|a worker notes",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-changes.ts", "store/postgres/postgres-store.test.ts", [
    [
      "an end to a paused transaction",
      "SET LOCAL idle_in_transaction_session_timeout = $" + "{this.#limitMs}",
      "SET LOCAL idle_in_transaction_session_timeout = 0",
      "was paused",
    ],
    ["rows that cross as text", "values, types: asText };", "values };", "whatever parsers"],
  ]),
  ...guardsOf("store/postgres/postgres-store.ts", "store/postgres/postgres-pooler.test.ts", [
    [
      "statements that a pooler does not know",
      "if (!foreignStatement.has(String((error as { code?: unknown }).code))) throw error;",
      "throw error;",
      "in transaction mode with \\{\\}",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-store.ts", "store/postgres/postgres-standby.test.ts", [
    ["no read from a standby", 'if (first["in_recovery"] === "t") throw', "if (false) throw", "refused, whatever"],
  ]),
  ...guardsOf("store/postgres/schema-steps.ts", "store/postgres/postgres-store.test.ts", [
    [
      "an audit trail that stays",
      "BEFORE UPDATE OR DELETE ON $" + "{schema}.byok_audit",
      "BEFORE INSERT ON $" + "{schema}.byok_org",
      "append-only",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-schema.ts", "store/postgres/postgres-roles.test.ts", [
    ["a current schema that is not written", "=== schemaSteps.length) return;", "=== -1) return;", "writes nothing"],
  ]),
  ...guardsOf("store/postgres/postgres-schema.ts", "store/postgres/postgres-store.test.ts", [
    ["a step that was taken", "> $" + "{index} THEN RETURN;", "> 99 THEN RETURN;", "takes no step twice"],
  ]),
  ...guardsOf("store/postgres/cancel-backend.ts", "store/postgres/cancel-backend.test.ts", [
    ["a request that a pooler outlives", "socket.write(request)", "socket.end(request)", "stays connected"],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", "store/postgres/postgres-contract.test.ts", [
    [
      "an organisation's own trail",
      "WHERE org_id = $1 AND id < coalesce",
      "WHERE $1::text <> '' AND id < coalesce",
      "audit row of every change",
    ],
  ]),
  ...guardsOf("store/postgres/change-functions.ts", "store/postgres/postgres-contract.test.ts", [
    [
      "a place that a later change took",
      "IF v_place IS DISTINCT FROM p_place THEN",
      "IF false THEN",
      "later change has taken|overtake an older save",
    ],
    [
      "a put's own success",
      "IF v_before.secret_id = p_secret_id THEN",
      "IF false THEN",
      "its own success again: a put",
    ],
  ]),
  ...guardsOf("store/postgres/note-functions.ts", "store/postgres/postgres-contract.test.ts", [
    [
      "a check of the secret that was asked for",
      "WHERE $" + "{mine} AND secret_id = p_secret_id RETURNING",
      "WHERE $" + "{mine} AND p_secret_id <> '' RETURNING",
      "notes what",
    ],
    ["attempts that are counted", "DO UPDATE SET times = byok_audit.times + 1", "DO NOTHING", "counts attempts"],
  ]),
  ...guardsOf("store/postgres/postgres-schema.ts", "store/postgres/postgres-contract.test.ts", [
    ["one migration at a time", "SELECT pg_advisory_xact_lock($" + "{migrationLock});", "", "migrates once"],
  ]),
];
