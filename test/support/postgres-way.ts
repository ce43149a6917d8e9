import { randomUUID } from "node:crypto";
import pg from "pg";
import type { KeyStore } from "../../src/store/key-store.ts";
import { type PostgresStoreOptions, postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { type PgBouncer, startPgBouncer } from "../servers/pgbouncer.ts";
import { readDocument } from "./documents.ts";

const ways = ["direct", "roles", "session", "transaction"] as const;

/**
 * How the tests reach Postgres, by BYOKIT_POSTGRES_WAY: `direct`, as a migrator, a manager and a worker in a schema of
 * their own (`roles`), or behind a pooler in `session` or `transaction` mode.
 */
export const postgresWay: (typeof ways)[number] = (() => {
  const given = process.env["BYOKIT_POSTGRES_WAY"] ?? "direct";
  const way = ways.find((known) => known === given);
  if (way === undefined) throw new Error(`BYOKIT_POSTGRES_WAY is one of: ${ways.join(", ")}.`);
  return way;
})();

/** One database, reached in that way. */
export interface OpenedWay extends AsyncDisposable {
  /** Where its tables are. */
  readonly schema: string;
  open(options?: Omit<PostgresStoreOptions, "pool">): KeyStore;
}

export async function openPostgresWay(url: string): Promise<OpenedWay> {
  return postgresWay === "roles" ? await openAsRoles(url) : await openPooled(url);
}

/** What docs/scaling.md tells operators to grant. */
export function readGrants(): string {
  const block = /```sql\n(?<grants>[^`]*GRANT EXECUTE[^`]*)```/u.exec(readDocument("docs/scaling.md"))?.groups?.[
    "grants"
  ];
  if (block === undefined) throw new Error("docs/scaling.md has no block of SQL with the grants.");
  return block;
}

async function openPooled(url: string): Promise<OpenedWay> {
  let bouncer: PgBouncer | undefined;
  if (postgresWay === "session" || postgresWay === "transaction") bouncer = await startPgBouncer(url, postgresWay);
  const pools: pg.Pool[] = [];
  return {
    schema: "public",
    open: (options = {}) => postgresStore({ pool: poolOn(bouncer?.url ?? url, pools), ...options }),
    async [Symbol.asyncDispose]() {
      for (const pool of pools) await pool.end();
      await bouncer?.stop();
    },
  };
}

/** Changes go as the manager, reads of a worker's as the worker, and only the migrator migrates. */
async function openAsRoles(url: string): Promise<OpenedWay> {
  const pools: pg.Pool[] = [];
  const owner = poolOn(url, pools);
  const id = randomUUID().slice(0, 8);
  const [manager, worker] = [`byok_manager_${id}`, `byok_worker_${id}`];
  await owner.query("CREATE SCHEMA byok; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  for (const role of [manager, worker]) await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  const as = (user: string): string => {
    const own = new URL(url);
    [own.username, own.password] = [user, "secret"];
    return own.href;
  };
  const grants = readGrants().replaceAll("byok_manager", manager).replaceAll("byok_worker", worker);
  await owner.query(`GRANT USAGE ON SCHEMA byok TO ${manager}, ${worker}`);
  let granted: Promise<unknown> = Promise.resolve();
  const migrate = async (): Promise<void> => {
    await postgresStore({ pool: owner, schema: "byok" }).migrate();
    // Postgres refuses two grants of the same rights at once.
    granted = granted.then(() => owner.query(grants));
    await granted;
  };
  return {
    schema: "byok",
    open(options = {}) {
      const own = { schema: "byok", ...options };
      const { snapshots, poll, noteUse } = postgresStore({ pool: poolOn(as(worker), pools), ...own });
      const ofWorker = { snapshots, poll, ...(noteUse && { noteUse }) };
      return { ...postgresStore({ pool: poolOn(as(manager), pools), ...own }), migrate, ...ofWorker };
    },
    async [Symbol.asyncDispose]() {
      for (const role of [manager, worker]) await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      for (const pool of pools) await pool.end();
    },
  };
}

function poolOn(url: string, pools: pg.Pool[]): pg.Pool {
  // A pooler in session mode gives each of them a session of its own, and has twenty.
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  pool.on("error", () => {});
  pools.push(pool);
  return pool;
}
