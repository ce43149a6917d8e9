import { statSync } from "node:fs";
import { ByokError } from "../errors.ts";
import { explainImport } from "../explain-import.ts";
import type { KeyStore } from "../store/key-store.ts";
import { postgresStore } from "../store/postgres/postgres-store.ts";
import { sqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Environment } from "./environment.ts";
import { readDatabase } from "./read-database.ts";
import { naming, readSetting } from "./read-setting.ts";
import { warnOfWideMode } from "./warn-of-wide-mode.ts";

export interface OpenedStore {
  readonly store: KeyStore;
  close(): Promise<void>;
}

export interface OpenStoreOptions {
  /** Whether `migrate()` of the store may create a SQLite file. Absent or `false`: it must be there. */
  readonly creates?: boolean;
}

/**
 * The database that the environment names: a Postgres by its URL, or a SQLite file by its path.
 *
 * @throws ByokError `options_invalid`
 */
export async function openStore(env: Environment, { creates = false }: OpenStoreOptions = {}): Promise<OpenedStore> {
  const database = readDatabase(env);
  const schema = readSetting(env, "BYOK_SCHEMA");
  if (database.kind === "postgres") return await openPostgres(database.url, schema);
  return openSqlite(database.path, creates);
}

function openSqlite(path: string, creates: boolean): OpenedStore {
  assertFile(path, { mayBeMissing: creates });
  for (const suffix of ["", "-wal", "-shm"]) warnOfWideMode(`${path}${suffix}`);
  const store = naming("BYOK_DATABASE_URL", () => sqliteStore({ path }));
  return { store, close: () => store.close() };
}

async function openPostgres(url: string, schema: string | undefined): Promise<OpenedStore> {
  const { default: pg } = await importPg();
  const connectionString = pinSslMode(url);
  assertConnectable(() => new pg.Client({ connectionString }));
  const pool = new pg.Pool({ connectionString, max: 10, connectionTimeoutMillis: 5_000 });
  pool.on("error", () => {});
  const store = naming("BYOK_SCHEMA", () => postgresStore({ pool, ...(schema === undefined ? {} : { schema }) }));
  return { store, close: () => pool.end() };
}

async function importPg(): Promise<typeof import("pg")> {
  try {
    return await import("pg");
  } catch (error) {
    throw explainImport(error, "postgres", "pg@8");
  }
}

/**
 * A path that leads nowhere, or to something else, is a path with a mistake in it.
 *
 * @throws ByokError `options_invalid`
 */
export function assertFile(path: string, { mayBeMissing }: { mayBeMissing: boolean }): void {
  const found = findKind(path);
  if (found === "file" || (found === "nothing" && mayBeMissing)) return;
  const [what, next] =
    found === "nothing"
      ? ["a file that is not there", "Correct the path, or create a database there: byokit migrate"]
      : ["something else than a file", "Name a file in it, as ./byok.sqlite"];
  throw new ByokError("options_invalid", `BYOK_DATABASE_URL names ${what} (${path}). ${next}`);
}

/** SQLite would take `folder/` for a file of the name `folder`. */
function findKind(path: string): "file" | "nothing" | "other" {
  if (/[/\\]$/u.test(path)) return "other";
  try {
    return statSync(path).isFile() ? "file" : "other";
  } catch {
    return "nothing";
  }
}

/**
 * The driver takes all of these for `verify-full`, and warns on standard error that its next version will not.
 *
 * @throws ByokError `options_invalid` for an unknown mode, which it would take for one of them too.
 */
function pinSslMode(url: string): string {
  const { searchParams } = new URL(url);
  const mode = searchParams.get("sslmode") ?? "disable";
  if (!/^(?:disable|no-verify|prefer|require|verify-ca|verify-full)$/u.test(mode)) {
    const next = "Write sslmode=verify-full, or sslmode=disable for a server without TLS.";
    throw new ByokError("options_invalid", `BYOK_DATABASE_URL has an sslmode that is none. ${next}`);
  }
  if (searchParams.get("uselibpqcompat") === "true") return url;
  return url.replace(/(?<=[?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/u, "verify-full");
}

/** What the driver refuses in a URL shows when a client is made, before anything is connected. */
function assertConnectable(make: () => unknown): void {
  try {
    make();
  } catch (error) {
    const isFile = error instanceof Error && "syscall" in error;
    const what = isFile ? "names a certificate or key that cannot be read" : "is a URL that the driver does not take";
    const next = isFile ? "Correct sslrootcert, sslcert and sslkey." : "Correct the part after its ?, sslmode first.";
    throw new ByokError("options_invalid", `BYOK_DATABASE_URL ${what}. ${next}`);
  }
}
