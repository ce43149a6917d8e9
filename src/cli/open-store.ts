import { ByokError } from "../errors.ts";
import { importOptional } from "../import-optional.ts";
import type { KeyStore } from "../store/key-store.ts";
import { postgresStore } from "../store/postgres/postgres-store.ts";
import { sqliteStore } from "../store/sqlite/sqlite-store.ts";

export interface OpenedStore {
  readonly store: KeyStore;
  close(): Promise<void>;
}

/**
 * A Postgres by its URL, or a SQLite file by its path. Nothing given, or nothing in it: `./byok.sqlite`. `schema`: of a
 * Postgres, where it is not the first of the connection's path.
 */
export async function openStore(given?: string, schema?: string): Promise<OpenedStore> {
  const url = given || "./byok.sqlite";
  if (!isPostgres(url)) {
    assertPath(url);
    const store = sqliteStore({ path: url });
    return { store, close: () => store.close() };
  }
  const { default: pg } = await importOptional("postgres", "pg@8", () => import("pg"));
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 });
  pool.on("error", () => {});
  return { store: postgresStore({ pool, ...(schema ? { schema } : {}) }), close: () => pool.end() };
}

export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/iu.test(url);
}

/** A lost or mangled URL must found no database beside the one that was meant: nobody chooses such a path. */
function assertPath(given: string): void {
  const isMangled = /^[\s"'`<$%]|["'`\s]$|^[A-Z][A-Z0-9_]*=|^(?:jdbc:|[a-z][a-z\d+.-]+:\/\/)/iu.test(given);
  if (!isMangled) return;
  const message =
    "BYOK_DATABASE_URL is neither postgres://… nor the path of a SQLite file. Take away quotes, spaces and NAME=, and write the URL as Postgres does.";
  throw new ByokError("options_invalid", message);
}
