import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { storeUnavailable } from "./store-unavailable.ts";

/** The schema's steps; the database's `user_version` counts those that were taken. Append, never edit. */
const steps: readonly string[] = [
  `
  CREATE TABLE byok_clock (id INTEGER PRIMARY KEY CHECK (id = 1), incarnation TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;
  CREATE TABLE byok_log (seq INTEGER PRIMARY KEY, org_id TEXT NOT NULL, mark TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX byok_log_at ON byok_log (at_ms);
  CREATE TABLE byok_secret (
    org_id TEXT NOT NULL, provider TEXT NOT NULL, secret_id TEXT NOT NULL UNIQUE, region TEXT, kid TEXT NOT NULL,
    sealed TEXT NOT NULL, hint TEXT, created_at_ms INTEGER NOT NULL, created_by TEXT,
    PRIMARY KEY (org_id, provider)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Takes the steps that are missing, inside a transaction of the caller's. */
export function upgradeSchema(database: DatabaseSync): void {
  const version = schemaVersion(database);
  if (version > steps.length) {
    throw storeUnavailable("has a schema of a newer byokit", "Upgrade this process first.");
  }
  for (const step of steps.slice(version)) database.exec(step);
  if (version === 0) {
    database.prepare("INSERT INTO byok_clock (id, incarnation, seq) VALUES (1, ?, 0)").run(randomUUID());
    database
      .prepare("INSERT INTO byok_log (seq, org_id, mark, at_ms) VALUES (0, '', ?, ?)")
      .run(randomUUID(), Date.now());
  }
  database.exec(`PRAGMA user_version = ${steps.length}`);
}

export function isCurrentSchema(database: DatabaseSync): boolean {
  return schemaVersion(database) === steps.length;
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
