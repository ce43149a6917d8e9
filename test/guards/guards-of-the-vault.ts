import { type Guard, guardsOf } from "./guard.ts";

/** The rules of a sealed key, and what the stores owe. */
export const guardsOfTheVault: readonly Guard[] = [
  ...guardsOf("vault/local-keyring.ts", "vault/local-keyring.test.ts", [
    ["the key's algorithm", "keyManagementAlgorithms: [alg],", ""],
    ["the content's algorithm", "contentEncryptionAlgorithms: [enc],", ""],
    ["no key but the kid's", "const key = ring.keys.get(kid);", "const key = ring.keys.get(kid) ?? primaryKey;"],
    ["the organisation", 'header["org"] === orgId &&', ""],
    ["the secret id", 'header["sid"] === secretId &&', ""],
    ["the provider", 'header["prv"] === provider &&', ""],
    ["the region", '(header["rgn"] ?? null) === region', "true"],
    ["the kind of token", 'header["typ"] === typ &&', ""],
    ["the size that is parsed", "sealed.length <= maxSealedLength ? kidOf(sealed) : undefined", "kidOf(sealed)"],
    ["the size that is made", "if (sealed.length > maxSealedLength) throw tooLong(context);", ""],
  ]),
  ...guardsOf("vault/keyring-json.ts", "vault/local-keyring.test.ts", [
    ["kids once", "if (keys.has(kid)) throw", "if (false) throw"],
    ["32 bytes", "bytes.length !== 32 || ", ""],
    ["a primary that is there", "primaryKey === undefined)", "false)"],
    ["one key in one ring", "if (key.equals(cacheKey)) throw", "if (false) throw"],
    ["keys that cannot be printed", "keys.set(kid, createSecretKey(bytes));", "keys.set(kid, bytes as never);"],
  ]),
  ...guardsOf("vault/sqlite-store.ts", "vault/sqlite-store.test.ts", [
    ["a file that was replaced", "file.refresh();", ""],
    ["one statement for a snapshot's head and keys", "LEFT JOIN byok_secret secret ON", "JOIN byok_secret secret ON"],
  ]),
  ...guardsOf("vault/sqlite-file.ts", "vault/sqlite-store.test.ts", [
    ["no file but migrate()'s", "if (identity === undefined) {", "if (false) {"],
    ["erased keys", "; PRAGMA secure_delete = ON", "; PRAGMA secure_delete = OFF"],
    ["waiting for locks", "if (!isLocked(error)) throw driverFailed(error);", "throw driverFailed(error);"],
    ["a rollback", 'prepare("ROLLBACK").run();', ""],
  ]),
  ...guardsOf("vault/postgres-store.ts", "vault/postgres-store.test.ts", [
    [
      "the clock row first",
      "const seq = await append(client, orgId, keepMs);\n        const before = await removeSecret(client, orgId, provider);\n        await client.query({ text: insertSql",
      "const before = await removeSecret(client, orgId, provider);\n        const seq = await append(client, orgId, keepMs);\n        await client.query({ text: insertSql",
      "fifty",
    ],
    [
      "a remove that finds nothing",
      'await client.query({ text: "ROLLBACK" });',
      'await client.query({ text: "COMMIT" });',
    ],
  ]),
  ...guardsOf("vault/postgres-store.ts", "vault/postgres-standby.test.ts", [
    ["no read from a standby", "if (first.in_recovery) throw", "if (false) throw"],
  ]),
  ...guardsOf("vault/postgres-statements.ts", "vault/postgres-standby.test.ts", [
    ["the timeline", ".may_read ? withTimeline : plain", ".may_read ? plain : plain"],
  ]),
  ...guardsOf("vault/postgres-client.ts", "vault/postgres-store.test.ts", [
    ["a listener on the connection", 'client.on("error", ignore);', "", "checked out and idle"],
    ["a connection's deadline", "Promise.race([connecting, expired.promise])", "connecting", "no connection to give"],
    ["no reuse after a failure", "client?.release(!isHealthy)", "client?.release(false)"],
    ["no text of the driver's", "return driverFailed(error);", "throw error;", "shows no text"],
  ]),
  ...guardsOf("vault/postgres-schema.ts", "vault/postgres-store.test.ts", [
    [
      "one migration at a time",
      'await query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);',
      "",
      "migrates once",
    ],
  ]),
];
