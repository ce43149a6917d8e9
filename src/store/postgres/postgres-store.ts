import { positiveMs } from "../../options.ts";
import { type KeyStore, type LogRow, maxLogRows } from "../key-store.ts";
import { type SealedRow, sealedKeys } from "../rows/sealed-row.ts";
import { auditRowOf, recordOf } from "../rows/stored-rows.ts";
import { noSchema, storeUnavailable } from "../store-unavailable.ts";
import { putKey, removeKey } from "./postgres-changes.ts";
import { onConnection, type PostgresPool, type PostgresPoolClient, type PostgresQuery } from "./postgres-client.ts";
import { upgradeSchema } from "./postgres-schema.ts";
import {
  auditQuery,
  describeQuery,
  type HeadRow,
  noteCheckQuery,
  type PollRow,
  type ReadStatements,
  readStatementsFor,
} from "./postgres-statements.ts";

export interface PostgresStoreOptions {
  /** A `pg` pool on the primary. The caller owns it and ends it. */
  readonly pool: PostgresPool;
  /** The longest that one call takes, waiting for a connection and for locks included. @default 1_000 */
  readonly timeoutMs?: number;
  /** How long rows of the change log are kept. A worker that was away longer forgets everything. @default 86_400_000 */
  readonly logKeepMs?: number;
  /** The longest that `migrate()` takes. @default 30_000 */
  readonly migrateTimeoutMs?: number;
}

/**
 * A store in Postgres, for any number of processes and machines.
 *
 * @throws ByokError `options_invalid`
 */
export function postgresStore(options: PostgresStoreOptions): KeyStore {
  const { pool } = options;
  const timeoutMs = positiveMs("timeoutMs", options.timeoutMs ?? 1_000);
  const keepMs = positiveMs("logKeepMs", options.logKeepMs ?? 86_400_000);
  const migrateTimeoutMs = positiveMs("migrateTimeoutMs", options.migrateTimeoutMs ?? 30_000);
  let statements: Promise<ReadStatements> | undefined;

  const read = async <Row>(query: (statements: ReadStatements) => PostgresQuery): Promise<Row[]> =>
    await onConnection(pool, timeoutMs, async (client) => {
      statements ??= readStatementsFor(client).catch((error: unknown) => {
        statements = undefined;
        throw error;
      });
      const { rows } = await client.query(query(await statements));
      const [first] = rows as { in_recovery: boolean }[];
      if (first === undefined) throw noSchema();
      if (first.in_recovery) throw storeUnavailable("is a standby", "Connect to the primary.");
      return rows as Row[];
    });

  /** One statement that is a transaction of its own and reads no change number. */
  const plainly = async (query: PostgresQuery): Promise<Record<string, unknown>[]> => {
    const { rows } = await onConnection(pool, timeoutMs, (client) => client.query(query));
    return rows as Record<string, unknown>[];
  };

  const write = async <T>(work: (client: PostgresPoolClient) => Promise<T>): Promise<T> =>
    await onConnection(pool, timeoutMs, async (client) => {
      const limit = Math.ceil(timeoutMs);
      await client.query({
        text: `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${limit};
          SET LOCAL statement_timeout = ${limit}; SET LOCAL idle_in_transaction_session_timeout = ${limit}`,
      });
      const result = await work(client);
      await client.query({ text: "COMMIT" });
      return result;
    });

  return {
    migrate: () => onConnection(pool, migrateTimeoutMs, upgradeSchema),

    async snapshots(orgIds) {
      const rows = await read<SealedRow & HeadRow>((sql) => sql.snapshots(orgIds));
      const { incarnation, seq, mark } = rows[0] as HeadRow;
      const keys = sealedKeys(rows);
      return orgIds.map((orgId) => ({ orgId, incarnation, snap: Number(seq), mark, keys: keys.get(orgId) ?? [] }));
    },

    async poll(cursor) {
      const after = "after" in cursor ? cursor.after : null;
      const windowMs = "after" in cursor || cursor.windowMs === 0 ? null : cursor.windowMs;
      const rows = await read<PollRow>((sql) => sql.poll(after, windowMs, maxLogRows + 1));
      const { incarnation, head, head_mark: headMark, start } = rows[0] as PollRow;
      const log = rows.flatMap((row) => (row.seq === null ? [] : [logRow(row)]));
      return {
        incarnation,
        head: Number(head),
        headMark,
        after: Number(start),
        afterMark: log.find(({ seq }) => seq === Number(start))?.mark ?? null,
        changes: log.filter(({ seq }) => seq > Number(start)).slice(0, maxLogRows),
      };
    },

    put: (key) => write((client) => putKey(client, key, keepMs)),

    remove: (ref, { actor }) => write((client) => removeKey(client, ref, actor, keepMs)),

    describe: async (orgId) => (await plainly(describeQuery(orgId))).map(recordOf),

    noteCheck: async (check) => (await plainly(noteCheckQuery(check))).length > 0,

    audit: async (orgId, { before, limit }) => (await plainly(auditQuery(orgId, before, limit))).map(auditRowOf),

    async close() {},
  };
}

function logRow({ seq, org_id: orgId, mark }: PollRow): LogRow {
  return { seq: Number(seq), orgId, mark };
}
