import type { DatabaseSync } from "node:sqlite";
import { nodeCrypto } from "../../node-crypto.ts";
import { storeUnavailable } from "../store-unavailable.ts";

/** The schema's steps; the database's `user_version` counts those that were taken. Append, never edit; only add. */
const steps: readonly string[] = [
  `
  CREATE TABLE byok_clock (id INTEGER PRIMARY KEY CHECK (id = 1), incarnation TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;
  CREATE TABLE byok_log (seq INTEGER PRIMARY KEY, org_id TEXT NOT NULL, change_id TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX byok_log_at ON byok_log (at_ms, seq);
  CREATE TABLE byok_org (org_id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE byok_place (
    org_id TEXT NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (org_id, provider, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE byok_secret (
    org_id TEXT NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL, secret_id TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL,
    region TEXT, kid TEXT NOT NULL, sealed TEXT NOT NULL, hint TEXT, verdict TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
    created_by TEXT, checked_at_ms INTEGER,
    PRIMARY KEY (org_id, provider, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE byok_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER, at_ms INTEGER NOT NULL, org_id TEXT NOT NULL, actor TEXT,
    provider TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, secret_id TEXT, previous_secret_id TEXT, region TEXT,
    verdict TEXT, hint TEXT, times INTEGER NOT NULL DEFAULT 1, minute INTEGER
  ) STRICT;
  CREATE INDEX byok_audit_of ON byok_audit (org_id, id);
  CREATE UNIQUE INDEX byok_audit_attempts ON byok_audit (org_id, provider, name, coalesce(actor, ''), minute)
    WHERE action = 'attempted';
  CREATE TRIGGER byok_audit_stays BEFORE UPDATE OF id, seq, at_ms, org_id, actor, provider, name, action, secret_id,
    previous_secret_id, region, verdict, hint, minute ON byok_audit
    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;
  CREATE TRIGGER byok_audit_counts BEFORE UPDATE OF times ON byok_audit
    WHEN OLD.action <> 'attempted' OR NEW.times <= OLD.times
    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;
  CREATE TRIGGER byok_audit_once BEFORE INSERT ON byok_audit WHEN EXISTS (SELECT 1 FROM byok_audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;
  CREATE TRIGGER byok_audit_remains BEFORE DELETE ON byok_audit BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;
  `,
  `
  ALTER TABLE byok_secret ADD COLUMN organization TEXT;
  ALTER TABLE byok_secret ADD COLUMN project TEXT;
  ALTER TABLE byok_audit ADD COLUMN organization TEXT;
  ALTER TABLE byok_audit ADD COLUMN project TEXT;
  CREATE TRIGGER byok_audit_account_stays BEFORE UPDATE OF organization, project ON byok_audit
    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;
  `,
  "CREATE UNIQUE INDEX byok_audit_observed ON byok_audit (secret_id, verdict) WHERE action = 'observed';",
];

/** What every read and every change needs. Later steps add what single calls need, which say so themselves. */
const neededVersion = 2;

/** Takes the steps that are missing, inside a transaction of the caller's. */
export function upgradeSchema(database: DatabaseSync): void {
  const version = readSchemaVersion(database);
  if (version > steps.length) {
    throw storeUnavailable("has a schema of a newer byokit", "Upgrade this process first.");
  }
  for (const step of steps.slice(version)) database.exec(step);
  if (version === 0) {
    database.prepare("INSERT INTO byok_clock (id, incarnation, seq) VALUES (1, ?, 0)").run(nodeCrypto().randomUUID());
    database
      .prepare("INSERT INTO byok_log (seq, org_id, change_id, at_ms) VALUES (0, '', ?, ?)")
      .run(nodeCrypto().randomUUID(), Date.now());
  }
  database.exec(`PRAGMA user_version = ${steps.length}`);
}

/** A newer schema serves too: while a release rolls out, processes of both are at work, and steps only add. */
export function hasSchema(database: DatabaseSync): boolean {
  return readSchemaVersion(database) >= neededVersion;
}

/** Whether what calls find out of keys can be noted. */
export function hasSchemaOfUses(database: Pick<DatabaseSync, "prepare">): boolean {
  return readSchemaVersion(database) >= 3;
}

/** An older schema too: what it lacks can be added. */
export function hasAnySchema(database: DatabaseSync): boolean {
  return readSchemaVersion(database) > 0;
}

function readSchemaVersion(database: Pick<DatabaseSync, "prepare">): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
