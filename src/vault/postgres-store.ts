import { randomUUID } from "node:crypto";
import { positiveMs } from "../options.ts";
import { type KeyStore, type LogRow, maxLogRows, type StoreChange } from "./key-store.ts";
import { onConnection, type PostgresPool, type PostgresPoolClient, type PostgresQuery } from "./postgres-client.ts";
import { upgradeSchema } from "./postgres-schema.ts";
import {
  describeSql,
  type HeadRow,
  insertSql,
  type PollRow,
  pruneSql,
  type ReadStatements,
  type RecordRow,
  readStatementsFor,
} from "./postgres-statements.ts";
import { type SealedRow, sealedKeys } from "./sealed-row.ts";
import { noSchema, storeUnavailable } from "./store-unavailable.ts";

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

    put: (key) =>
      write(async (client) => {
        const { orgId, provider, secretId, region, kid, sealed, hint, actor } = key;
        const seq = await append(client, orgId, keepMs);
        const before = await removeSecret(client, orgId, provider);
        await client.query({ text: insertSql, values: [orgId, provider, secretId, region, kid, sealed, hint, actor] });
        return await change(client, orgId, seq, before);
      }),

    remove: ({ orgId, provider }) =>
      write(async (client) => {
        const seq = await append(client, orgId, keepMs);
        const before = await removeSecret(client, orgId, provider);
        if (before !== null) return await change(client, orgId, seq, before);
        await client.query({ text: "ROLLBACK" });
        return await change(client, orgId, seq - 1, null);
      }),

    async describe(orgId) {
      const { rows } = await onConnection(pool, timeoutMs, (client) =>
        client.query({ name: "byok_describe", text: describeSql, values: [orgId] }),
      );
      return (rows as RecordRow[]).map((row) => ({
        provider: row.provider,
        secretId: row.secret_id,
        region: row.region,
        kid: row.kid,
        hint: row.hint,
        createdAtMs: row.created_at.getTime(),
        createdBy: row.created_by,
      }));
    },

    async close() {},
  };
}

/** The clock row is locked by a statement of its own, before anything is read that depends on the order of changes. */
async function append(client: PostgresPoolClient, orgId: string, keepMs: number): Promise<number> {
  const { rows } = await client.query({ text: "UPDATE byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq" });
  const [row] = rows as { seq: string }[];
  if (row === undefined) throw noSchema();
  const seq = Number(row.seq);
  const values = [seq, orgId, randomUUID()];
  await client.query({ text: "INSERT INTO byok_log (seq, org_id, mark) VALUES ($1, $2, $3)", values });
  await client.query({ name: "byok_prune", text: pruneSql, values: [seq, keepMs] });
  return seq;
}

async function removeSecret(client: PostgresPoolClient, orgId: string, provider: string): Promise<string | null> {
  const text = "DELETE FROM byok_secret WHERE org_id = $1 AND provider = $2 RETURNING secret_id";
  const { rows } = await client.query({ text, values: [orgId, provider] });
  return (rows[0] as { secret_id: string } | undefined)?.secret_id ?? null;
}

async function change(
  client: PostgresPoolClient,
  orgId: string,
  seq: number,
  secretId: string | null,
): Promise<StoreChange> {
  const text = "SELECT provider, secret_id FROM byok_secret WHERE org_id = $1";
  const { rows } = await client.query({ text, values: [orgId] });
  const references = (rows as { provider: string; secret_id: string }[]).map((row) => [row.provider, row.secret_id]);
  return { seq, secretId, references: Object.fromEntries(references) };
}

function logRow({ seq, org_id: orgId, mark }: PollRow): LogRow {
  return { seq: Number(seq), orgId, mark };
}
