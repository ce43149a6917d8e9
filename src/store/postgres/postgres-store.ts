import { positiveMs } from "../../options.ts";
import { type KeyStore, type LogRow, maxLogRows } from "../key-store.ts";
import { groupSealedKeys, type SealedRow } from "../rows/sealed-row.ts";
import { toAuditRow, toKeyRecord } from "../rows/stored-rows.ts";
import { noSchema, storeUnavailable } from "../store-unavailable.ts";
import { putKey, removeKey } from "./postgres-changes.ts";
import { onConnection, type PostgresPool, type PostgresPoolClient, type PostgresQuery } from "./postgres-client.ts";
import { upgradeSchema } from "./postgres-schema.ts";
import {
  buildAuditQuery,
  buildDescribeQuery,
  buildNoteCheckQuery,
  chooseStatements,
  type HeadRow,
  type PollRow,
  type ReadStatements,
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
      statements ??= chooseStatements(client).catch((error: unknown) => {
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
  const query = async (query: PostgresQuery): Promise<Record<string, unknown>[]> => {
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
      const { incarnation, seq, change_id: changeId } = rows[0] as HeadRow;
      const keys = groupSealedKeys(rows);
      return orgIds.map((orgId) => ({ orgId, incarnation, asOf: Number(seq), changeId, keys: keys.get(orgId) ?? [] }));
    },

    async poll(cursor) {
      const after = "after" in cursor ? cursor.after : null;
      const windowMs = "after" in cursor || cursor.windowMs === 0 ? null : cursor.windowMs;
      const rows = await read<PollRow>((sql) => sql.poll(after, windowMs, maxLogRows + 1));
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

    put: (key) => write((client) => putKey(client, key, keepMs)),

    remove: (ref, { actor }) => write((client) => removeKey(client, ref, actor, keepMs)),

    describe: async (orgId) => (await query(buildDescribeQuery(orgId))).map(toKeyRecord),

    noteCheck: async (check) => (await query(buildNoteCheckQuery(check))).length > 0,

    audit: async (orgId, { before, limit }) => (await query(buildAuditQuery(orgId, before, limit))).map(toAuditRow),

    async close() {},
  };
}

function toLogRow({ seq, org_id: orgId, change_id: changeId }: PollRow): LogRow {
  return { seq: Number(seq), orgId, changeId };
}
