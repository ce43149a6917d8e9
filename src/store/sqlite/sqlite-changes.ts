import type { KeyAccount } from "../../key-account.ts";
import { nodeCrypto } from "../../node-crypto.ts";
import type { Attribution, NewKey, NotedCheck, NotedUse, StoreChange, Verdict } from "../key-change.ts";
import { composeAuditRow, type NewAuditRow, type RemovedSecret } from "../rows/audit-row.ts";
import { changesVerdict } from "../rows/changes-verdict.ts";
import { toCheckedAt } from "../rows/checked-at.ts";
import { readAccount } from "../rows/stored-rows.ts";
import { defaultKeyName, type KeyRef } from "../sealed-key.ts";
import { noSchema } from "../store-unavailable.ts";
import type { Prepare } from "./sqlite-handle.ts";
import { hasSchemaOfUses } from "./sqlite-schema.ts";
import {
  deleteSql,
  findPlaceSql,
  findSecretSql,
  findVerdictSql,
  insertAuditSql,
  insertSql,
  noteCheckSql,
  noteUseSql,
  observeSql,
  placeSql,
  pruneSql,
} from "./sqlite-statements.ts";

interface StoredSecret extends RemovedSecret {
  readonly seq: number;
}

/** Each of these runs inside a transaction of the caller's, which holds the write lock. */
export function takePlace(prepare: Prepare, { orgId, provider, name }: KeyRef, place: string): void {
  prepare(placeSql).run(orgId, provider, name, place);
}

export function findSecret(prepare: Prepare, { orgId, provider, name }: KeyRef): StoredSecret | undefined {
  const row = prepare(findSecretSql).get(orgId, provider, name);
  return (
    row && {
      secretId: String(row["secret_id"]),
      seq: Number(row["seq"]),
      region: row["region"] as string | null,
      account: readAccount(row),
      hint: row["hint"] as string | null,
    }
  );
}

export function putKey(prepare: Prepare, key: NewKey, keepMs: number): StoreChange | undefined {
  const { orgId, provider, name, place, secretId, region, account, kid, sealed, hint, actor, verdict } = key;
  const before = findSecret(prepare, key);
  if (before?.secretId === secretId) return readChange(prepare, orgId, before.seq, null);
  if (place === null) takePlace(prepare, key, nodeCrypto().randomUUID());
  else if (prepare(findPlaceSql).get(orgId, provider, name)?.["place"] !== place) return undefined;
  const now = Date.now();
  const seq = appendLog(prepare, orgId, keepMs);
  prepare(deleteSql).run(orgId, provider, name);
  const checkedAt = toCheckedAt(verdict, now);
  const facts = [kid, sealed, hint, verdict, now, actor, checkedAt];
  prepare(insertSql).run(orgId, provider, name, secretId, seq, region, ...toColumns(account), ...facts);
  appendAudit(prepare, orgId, composeAuditRow({ seq, ref: key, actor, before, stored: key }));
  return readChange(prepare, orgId, seq, before?.secretId ?? null);
}

export function removeKey(prepare: Prepare, ref: KeyRef, { actor }: Attribution, keepMs: number): StoreChange {
  const { orgId, provider, name } = ref;
  takePlace(prepare, ref, nodeCrypto().randomUUID());
  const before = findSecret(prepare, ref);
  if (before === undefined) {
    const head = prepare("SELECT seq FROM byok_clock WHERE id = 1").get()?.["seq"];
    return readChange(prepare, orgId, Number(head), null);
  }
  const seq = appendLog(prepare, orgId, keepMs);
  prepare(deleteSql).run(orgId, provider, name);
  appendAudit(prepare, orgId, composeAuditRow({ seq, ref, actor, before }));
  return readChange(prepare, orgId, seq, before.secretId);
}

export function noteCheck(prepare: Prepare, check: NotedCheck): boolean {
  const { orgId, provider, name, secretId, verdict, actor } = check;
  const row = prepare(noteCheckSql).get({ orgId, provider, name, secretId, verdict, at: Date.now() });
  if (row === undefined) return false;
  const region = row["region"] as string | null;
  const shown = { region, account: readAccount(row), hint: row["hint"] as string | null };
  const facts = { seq: null, actor, provider, name, action: "verified", previousSecretId: null } as const;
  appendAudit(prepare, orgId, { ...facts, secretId, verdict, ...shown });
  return true;
}

/** The answer where nothing is to be written; `undefined` where something is. Holds no lock. */
export function findNoted(prepare: Prepare, use: NotedUse): boolean | undefined {
  if (!hasSchemaOfUses({ prepare })) throw noSchema();
  const { orgId, provider, name, secretId, verdict } = use;
  const row = prepare(findVerdictSql).get({ orgId, provider, name, secretId });
  if (row === undefined) return false;
  return changesVerdict(row["verdict"] as Verdict, verdict) ? undefined : true;
}

export function noteUse(prepare: Prepare, use: NotedUse): boolean {
  const noted = findNoted(prepare, use);
  if (noted !== undefined) return noted;
  const { secretId, verdict } = use;
  prepare(noteUseSql).run({ secretId, verdict, at: Date.now() });
  prepare(observeSql).run(secretId);
  return true;
}

function appendLog(prepare: Prepare, orgId: string, keepMs: number): number {
  const seq = Number(prepare("UPDATE byok_clock SET seq = seq + 1 WHERE id = 1 RETURNING seq").get()?.["seq"]);
  const insert = prepare("INSERT INTO byok_log (seq, org_id, change_id, at_ms) VALUES (?, ?, ?, ?)");
  insert.run(seq, orgId, nodeCrypto().randomUUID(), Date.now());
  prepare(pruneSql).run({ seq, since: Date.now() - keepMs });
  return seq;
}

function appendAudit(prepare: Prepare, orgId: string, row: NewAuditRow): void {
  const { seq, actor, provider, name, action, secretId, previousSecretId, region, account, verdict, hint } = row;
  const secrets = [secretId, previousSecretId, region];
  const values = [actor, provider, name, action, ...secrets, ...toColumns(account), verdict, hint];
  prepare(insertAuditSql).run(seq, Date.now(), orgId, ...values);
}

function toColumns(account: KeyAccount | null): (string | null)[] {
  return [account?.organization ?? null, account?.project ?? null];
}

function readChange(prepare: Prepare, orgId: string, seq: number, secretId: string | null): StoreChange {
  const rows = prepare("SELECT provider, secret_id FROM byok_secret WHERE org_id = ? AND name = ?").all(
    orgId,
    defaultKeyName,
  );
  const references = Object.fromEntries(rows.map((row) => [String(row["provider"]), String(row["secret_id"])]));
  return { seq, secretId, references };
}
