import { callback, positiveMilliseconds, trueOrFalse } from "../../option-kinds.ts";
import { copyOwn } from "../../own-property.ts";
import { type OptionRules, readOptions, required } from "../../read-options.ts";
import { type LogRow, maxLogRows } from "../change-log.ts";
import type { KeyStore } from "../key-store.ts";
import { composeContradictionsSql, toContradiction } from "../rows/contradiction.ts";
import { groupSealedKeys, type SealedRow } from "../rows/sealed-row.ts";
import { toAuditRow, toKeyRecord } from "../rows/stored-rows.ts";
import { noSchema, storeUnavailable } from "../store-unavailable.ts";
import { PoolGate, type PostgresStoreEvent } from "./pool-gate.ts";
import { poolKind } from "./pool-kind.ts";
import { findPoolWarnings } from "./pool-warnings.ts";
import { asText, PostgresChanges } from "./postgres-changes.ts";
import { onConnection, type PostgresPool, type PostgresPoolClient, type PostgresQuery } from "./postgres-client.ts";
import { upgradeSchema } from "./postgres-schema.ts";
import { chooseStatements, type HeadRow, type PollRow, type ReadStatements } from "./postgres-statements.ts";

export interface PostgresStoreOptions {
  /**
   * A `pg` pool on the primary. The caller owns it and ends it. The store listens for its `error`, which would end the
   * process, until `close()`: end the pool first.
   */
  readonly pool: PostgresPool;
  /** The longest that one call takes, waiting for a connection and for locks included. @default 1_000 */
  readonly timeoutMs?: number | undefined;
  /** How long rows of the change log are kept. A worker that was away longer forgets everything. @default 86_400_000 */
  readonly logKeepMs?: number | undefined;
  /**
   * The schema that byokit's tables are in, which has to be there. @default the first one of the connection's `search_path`
   */
  readonly schema?: string | undefined;
  /**
   * Whether statements that read are prepared once per connection, which saves time. Behind a pooler in transaction mode
   * they cannot be: the store notices the first that fails, goes on without, and `health()` says so. @default true
   */
  readonly prepare?: boolean | undefined;
  /** The longest that `migrate()` and `findContradictions()` take. @default 30_000 */
  readonly migrateTimeoutMs?: number | undefined;
  /** Told of connections that were lost, and of a server that takes none. What it throws, or rejects with, is ignored. */
  readonly onEvent?: ((event: PostgresStoreEvent) => unknown) | undefined;
}

const rules: OptionRules<PostgresStoreOptions> = {
  pool: required(poolKind),
  timeoutMs: positiveMilliseconds,
  logKeepMs: positiveMilliseconds,
  schema: { form: "the name of a schema", fits: (value) => typeof value === "string" && value !== "" },
  prepare: trueOrFalse,
  migrateTimeoutMs: positiveMilliseconds,
  onEvent: callback,
};

export type { PostgresStoreEvent };

/**
 * A store in Postgres, for any number of processes and machines.
 *
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { postgresStore } from "byokit/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 3_000 });
 * const keys = postgresStore({ pool });
 * await keys.migrate();
 * ```
 */
export function postgresStore(given: PostgresStoreOptions): KeyStore {
  const options = readOptions("postgresStore()", given, rules);
  const { timeoutMs = 1_000, logKeepMs: keepMs = 86_400_000, migrateTimeoutMs = 30_000 } = options;
  const pool = new PoolGate(options.pool, { timeoutMs, onEvent: options.onEvent });
  const prefix = options.schema === undefined ? "" : `"${options.schema.replaceAll('"', '""')}".`;
  const changes = new PostgresChanges(prefix, keepMs, timeoutMs);
  let statements: Promise<ReadStatements> | undefined;

  let isPreparing = options.prepare ?? true;
  let isBehindPooler = false;
  const send = async (client: PostgresPoolClient, { name, ...unnamed }: PostgresQuery) => {
    if (!isPreparing || name === undefined) return await client.query(unnamed);
    try {
      return await client.query({ name, ...unnamed });
    } catch (error) {
      if (!foreignStatement.has(String((error as { code?: unknown }).code))) throw error;
      [isPreparing, isBehindPooler] = [false, true];
      return await client.query(unnamed);
    }
  };
  const query = async (build: (statements: ReadStatements) => PostgresQuery): Promise<Record<string, unknown>[]> =>
    await onConnection(pool, timeoutMs, async (client) => {
      statements ??= chooseStatements(client, prefix).catch((error: unknown) => {
        statements = undefined;
        throw error;
      });
      return (await send(client, build(await statements))).rows as Record<string, unknown>[];
    });

  /** Rows that carry a change number, and so come from the primary only. */
  const read = async <Row>(build: (statements: ReadStatements) => PostgresQuery): Promise<Row[]> => {
    const rows = await query(build);
    const [first] = rows;
    if (first === undefined) throw noSchema();
    if (first["in_recovery"] === "t") throw storeUnavailable("is a standby", "Connect to the primary.");
    return rows as Row[];
  };

  const write = async <T>(work: (client: PostgresPoolClient) => Promise<T>): Promise<T> =>
    await onConnection(pool, timeoutMs, work);

  return {
    migrate: () => onConnection(pool, migrateTimeoutMs, (client) => upgradeSchema(client, options.schema)),

    async snapshots(orgIds) {
      const rows = await read<SealedRow & HeadRow>((sql) => sql.snapshots(orgIds));
      const { incarnation, seq, change_id: changeId } = rows[0] as HeadRow;
      const keys = groupSealedKeys(rows);
      return orgIds.map((orgId) => ({ orgId, incarnation, asOf: Number(seq), changeId, keys: keys.get(orgId) ?? [] }));
    },

    async poll(given) {
      const cursor = copyOwn(given);
      const after = "after" in cursor ? cursor.after : null;
      const windowMs = "after" in cursor || cursor.windowMs === 0 ? null : cursor.windowMs;
      const rows = await read<PollRow>((sql) => sql.poll(after, windowMs));
      const { incarnation, head, head_change_id: headChangeId, start } = rows[0] as PollRow;
      const log = rows.flatMap((row) => (row.seq === null ? [] : [toLogRow(row)]));
      return {
        incarnation,
        head: Number(head),
        headChangeId,
        after: Number(start),
        afterChangeId: log.find(({ seq }) => seq === Number(start))?.changeId ?? null,
        changes: log.filter(({ seq }) => seq > Number(start)).slice(0, maxLogRows),
      };
    },

    takePlaces: (refs, place) => write((client) => changes.takePlaces(client, refs, place)),

    put: (key) => write((client) => changes.put(client, key)),

    putMany: (keys) => write((client) => changes.putMany(client, keys)),

    remove: (ref, by) => write((client) => changes.remove(client, ref, by)),

    describe: async (orgId) => (await query((sql) => sql.describe(orgId))).map(toKeyRecord),

    noteCheck: (check) => write((client) => changes.noteCheck(client, check)),

    noteUse: (use) => write((client) => changes.noteUse(client, use)),

    noteAttempt: (ref, by) => write((client) => changes.noteAttempt(client, ref, by)),

    audit: async (orgId, { before, limit }) => (await query((sql) => sql.audit(orgId, before, limit))).map(toAuditRow),

    findContradictions: (limit) =>
      onConnection(pool, migrateTimeoutMs, async (client) => {
        const text = composeContradictionsSql(prefix, "$1");
        const { rows } = await client.query({ text, values: [limit], types: asText });
        return (rows as Record<string, unknown>[]).map(toContradiction);
      }),

    warnings: () => [...(isBehindPooler ? [poolerWarning] : []), ...findPoolWarnings(options.pool)],

    async close() {
      pool.close();
    },
  };
}

/**
 * `duplicate_prepared_statement` and `invalid_sql_statement_name`: the connection is another session's than the one that
 * prepared the statement.
 */
const foreignStatement: ReadonlySet<string> = new Set(["42P05", "26000"]);

const poolerWarning =
  "The database is behind a pooler that shares sessions, so that statements cannot be prepared. Set prepare: false.";

function toLogRow({ seq, org_id: orgId, change_id: changeId }: PollRow): LogRow {
  return { seq: Number(seq), orgId, changeId };
}
