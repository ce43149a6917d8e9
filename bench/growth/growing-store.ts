import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { createKeyring, generateKeyring, type Keyring, type KeyStore } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { ownPostgresServer, type PostgresServer } from "../../test/servers/postgres-server.ts";
import { fillPostgres } from "./fill-postgres.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { chooseSamples, nameOrg, sealSamples } from "./filled-shape.ts";

/** A store of so many organisations. */
export interface GrowingStore {
  readonly size: number;
  readonly store: KeyStore;
  readonly keyring: Keyring;
  /** Organisations that have keys which open. The first one has a long audit trail. */
  readonly orgIds: readonly string[];
}

/** An engine with a store of each size. */
export interface Engine {
  readonly name: string;
  readonly stores: readonly GrowingStore[];
  close(): Promise<void>;
}

export interface GrowOptions {
  /** Whether Postgres waits for its disk, as in production. SQLite always does. */
  readonly isDurable: boolean;
  /** A Postgres to make databases in, and to drop them from again; absent: one of its own. */
  readonly server?: Pick<PostgresServer, "url" | "stop">;
}

/** A database for each size, on one server. */
export async function growPostgres(
  sizes: readonly number[],
  { isDurable, server: given }: GrowOptions,
): Promise<Engine> {
  const settings = [`fsync=${isDurable ? "on" : "off"}`, "max_wal_size=8GB", "checkpoint_timeout=1h"];
  const server = given ?? (await ownPostgresServer(undefined, settings));
  const admin = new pg.Pool({ connectionString: server.url, max: 1 });
  const pools = new Map<string, pg.Pool>();
  const close = async (): Promise<void> => {
    for (const [name, pool] of pools) {
      await pool.end();
      await admin.query(`DROP DATABASE ${name}`);
    }
    await admin.end();
    await server.stop();
  };
  const grow = async (size: number): Promise<GrowingStore> => {
    const name = `growth_${size}`;
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const pool = new pg.Pool({ connectionString: url.href, max: 32 });
    pools.set(name, pool);
    return await filled(postgresStore({ pool, timeoutMs: 10_000 }), size, (samples) =>
      fillPostgres(pool, size, samples),
    );
  };
  try {
    const stores: GrowingStore[] = [];
    for (const size of sizes) stores.push(await grow(size));
    return { name: "Postgres", stores, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function growSqlite(sizes: readonly number[]): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "byokit-growth-"));
  const stores: GrowingStore[] = [];
  const close = async (): Promise<void> => {
    for (const { store } of stores) await store.close();
    rmSync(folder, { recursive: true });
  };
  try {
    for (const size of sizes) {
      const path = join(folder, String(size));
      stores.push(
        await filled(sqliteStore({ path, timeoutMs: 10_000 }), size, async (samples) =>
          fillSqlite(path, size, samples),
        ),
      );
    }
    return { name: "SQLite", stores, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function filled(
  store: KeyStore,
  size: number,
  fill: (samples: Awaited<ReturnType<typeof sealSamples>>) => Promise<void>,
): Promise<GrowingStore> {
  const keyring = createKeyring(generateKeyring());
  await store.migrate();
  await fill(await sealSamples(keyring, size));
  return { size, store, keyring, orgIds: chooseSamples(size).map(nameOrg) };
}
