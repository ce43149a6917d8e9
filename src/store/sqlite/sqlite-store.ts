import { positiveMilliseconds } from "../../option-kinds.ts";
import { copyOwn } from "../../own-property.ts";
import { type OptionRules, readOptions, required } from "../../read-options.ts";
import { type LogRow, maxLogRows } from "../change-log.ts";
import type { KeyStore } from "../key-store.ts";
import { composeContradictionsSql, toContradiction } from "../rows/contradiction.ts";
import { groupSealedKeys, type SealedRow } from "../rows/sealed-row.ts";
import { toAuditRow, toKeyRecord } from "../rows/stored-rows.ts";
import { noSchema } from "../store-unavailable.ts";
import { findNoted, findSecret, noteCheck, noteUse, putKey, removeKey, takePlace } from "./sqlite-changes.ts";
import { SqliteFile } from "./sqlite-file.ts";
import {
  attemptSql,
  auditSql,
  describeSql,
  type HeadRow,
  type PollRow,
  pollSql,
  snapshotSql,
  snapshotsSql,
} from "./sqlite-statements.ts";

export interface SqliteStoreOptions {
  /** The database's file. Only `migrate()` creates it: otherwise a wrong working directory would silently create an empty store. */
  readonly path: string;
  /** The longest that one call takes, waiting for other writers included. @default 1_000 */
  readonly timeoutMs?: number | undefined;
  /** How long rows of the change log are kept. A worker that was away longer forgets everything. @default 86_400_000 */
  readonly logKeepMs?: number | undefined;
}

const rules: OptionRules<SqliteStoreOptions> = {
  path: required({ form: "the path of a file (for a store in memory take memoryStore())", fits: isPath }),
  timeoutMs: positiveMilliseconds,
  logKeepMs: positiveMilliseconds,
};

/** A URL, or what SQLite takes for a database in memory, would found a file of that name. */
function isPath(path: unknown): boolean {
  return (
    typeof path === "string" && path !== "" && !path.startsWith(":") && !/^(file:|[a-z][a-z\d+.-]+:\/\/)/iu.test(path)
  );
}

/**
 * A store in one file, through `node:sqlite`: the embedded default, for the processes of one machine. Not for a network
 * file system.
 *
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { sqliteStore } from "byokit/sqlite";
 *
 * const keys = sqliteStore({ path: "./byok.sqlite" });
 * await keys.migrate(); // creates the file; nothing else does
 * ```
 */
export function sqliteStore(given: SqliteStoreOptions): KeyStore {
  const options = readOptions("sqliteStore()", given, rules);
  const { path, timeoutMs = 1_000, logKeepMs: keepMs = 86_400_000 } = options;
  const file = new SqliteFile(path, timeoutMs);

  return {
    migrate: () => file.migrate(),

    snapshots: (orgIds) =>
      file.read((prepare) => {
        const [orgId = "", ...others] = orgIds;
        const found =
          others.length === 0 ? prepare(snapshotSql).all(orgId) : prepare(snapshotsSql).all(JSON.stringify(orgIds));
        const rows = found as unknown as (HeadRow & SealedRow)[];
        const [head] = rows;
        if (head === undefined) throw noSchema();
        const keys = groupSealedKeys(rows);
        const { incarnation, seq: asOf, change_id: changeId } = head;
        return orgIds.map((orgId) => ({
          orgId,
          incarnation,
          asOf,
          changeId,
          keys: keys.get(orgId) ?? [],
        }));
      }),

    poll: (given) =>
      file.read((prepare) => {
        const cursor = copyOwn(given);
        const after = "after" in cursor ? cursor.after : null;
        const since = "after" in cursor || cursor.windowMs === 0 ? null : Date.now() - cursor.windowMs;
        const rows = prepare(pollSql).all({ after, since, limit: maxLogRows + 1 }) as unknown as PollRow[];
        const [first] = rows;
        if (first === undefined) throw noSchema();
        const { incarnation, head, head_change_id: headChangeId, start } = first;
        const changes = rows.filter((row) => row.seq !== null && row.seq > start).slice(0, maxLogRows);
        const afterChangeId = rows.find((row) => row.seq === start)?.change_id ?? null;
        return { incarnation, head, headChangeId, after: start, afterChangeId, changes: changes.map(toLogRow) };
      }),

    takePlaces: (refs, place) =>
      file.write((prepare) =>
        refs.map((ref) => {
          takePlace(prepare, ref, place);
          const stored = findSecret(prepare, ref);
          return stored === undefined
            ? null
            : { secretId: stored.secretId, region: stored.region, account: stored.account };
        }),
      ),

    put: (key) => file.write((prepare) => putKey(prepare, key, keepMs)),

    putMany: (keys) => file.write((prepare) => keys.map((key) => putKey(prepare, key, keepMs))),

    remove: (ref, by) => file.write((prepare) => removeKey(prepare, ref, by, keepMs)),

    describe: (orgId) => file.read((prepare) => prepare(describeSql).all(orgId).map(toKeyRecord)),

    noteCheck: (check) => file.write((prepare) => noteCheck(prepare, check)),

    async noteUse(use) {
      const noted = await file.read((prepare) => findNoted(prepare, use));
      return noted ?? (await file.write((prepare) => noteUse(prepare, use)));
    },

    noteAttempt: ({ orgId, provider, name }, { actor }) =>
      file.write((prepare) => {
        const at = Date.now();
        prepare(attemptSql).run({ at, minute: Math.floor(at / 60_000), orgId, actor, provider, name });
      }),

    audit: (orgId, { before, limit }) =>
      file.read((prepare) => prepare(auditSql).all({ orgId, before, limit }).map(toAuditRow)),

    findContradictions: (limit) =>
      file.read((prepare) => prepare(composeContradictionsSql("", "?")).all(limit).map(toContradiction)),

    async close() {
      file.close();
    },
  };
}

function toLogRow({ seq, org_id: orgId, change_id: changeId }: PollRow): LogRow {
  return { seq: Number(seq), orgId, changeId };
}
