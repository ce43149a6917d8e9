import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { inject } from "vitest";
import type { KeyStore } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { openPostgresWay } from "./postgres-way.ts";

export interface OwnStore extends AsyncDisposable {
  readonly store: KeyStore;
  /** How the command line names it. */
  readonly url: string;
}

export async function ownSqliteStore(): Promise<OwnStore> {
  const folder = mkdtempSync(join(tmpdir(), "byokit-store-"));
  const url = join(folder, "byok.sqlite");
  const store = sqliteStore({ path: url, timeoutMs: 4_000 });
  await store.migrate();
  return {
    store,
    url,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A database of its own on the tests' server, reached as BYOKIT_POSTGRES_WAY says. */
export async function ownPostgresStore(): Promise<OwnStore & { readonly schema: string }> {
  const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
  const name = `byokit_${randomUUID().replaceAll("-", "")}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  const way = await openPostgresWay(url.href);
  const store = way.open({ timeoutMs: 4_000 });
  await store.migrate();
  return {
    store,
    url: url.href,
    schema: way.schema,
    async [Symbol.asyncDispose]() {
      await way[Symbol.asyncDispose]();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

export const ownStores = [
  ["SQLite", ownSqliteStore],
  ["Postgres", ownPostgresStore],
] as const;
