import type { KeyAccount } from "../../key-account.ts";
import { nodeCrypto } from "../../node-crypto.ts";
import type { Attribution, NewKey, NotedCheck, NotedUse, PlacedKey, StoreChange, StoredKey } from "../key-change.ts";
import { readAccount } from "../rows/stored-rows.ts";
import type { KeyRef, StoredReference } from "../sealed-key.ts";
import { noSchema } from "../store-unavailable.ts";
import { wrongIsolation } from "./function-parts.ts";
import type { PostgresPoolClient, PostgresQuery } from "./postgres-client.ts";

/** The calls of the functions that change, in one schema: one round trip each. */
export class PostgresChanges {
  readonly #prefix: string;
  readonly #keepMs: number;
  readonly #limitMs: number;
  /** Whether connections of this pool have another isolation by default. Told by the first one that has. */
  #needsTransaction = false;

  /** `prefix`: what stands before a name, `"schema".` or nothing. */
  constructor(prefix: string, keepMs: number, timeoutMs: number) {
    this.#prefix = prefix;
    this.#keepMs = Math.ceil(keepMs);
    this.#limitMs = Math.ceil(timeoutMs);
  }

  async takePlaces(
    client: PostgresPoolClient,
    refs: readonly KeyRef[],
    place: string,
  ): Promise<(StoredReference | null)[]> {
    const given = JSON.stringify(refs.map((ref, ordinal) => ({ ordinal, ...columnsOf(ref) })));
    const rows = await this.#call(client, "byok_places_2", [given, place, this.#limitMs]);
    const stored = new Map(rows.map((row) => [Number(row["ordinal"]), row]));
    return refs.map((_, ordinal) => {
      const row = stored.get(ordinal);
      if (row === undefined) return null;
      return { secretId: String(row["secret_id"]), region: row["region"] as string | null, account: readAccount(row) };
    });
  }

  async put(client: PostgresPoolClient, key: NewKey): Promise<StoreChange | undefined> {
    const { place, secretId, region, kid, sealed, hint, actor, verdict } = key;
    const { organization, project } = accountOf(key);
    const facts = [secretId, region, organization, project, kid, sealed, hint, actor, verdict];
    const limits = [this.#keepMs, this.#limitMs];
    const values = [...valuesOf(key), place, place ?? nodeCrypto().randomUUID(), ...facts, ...limits];
    return toChange(await this.#call(client, "byok_put_2", values));
  }

  async putMany(client: PostgresPoolClient, keys: readonly PlacedKey[]): Promise<(StoredKey | undefined)[]> {
    const given = JSON.stringify(
      keys.map((key, ordinal) => {
        const { place, secretId: secret_id, region, kid, sealed, hint, actor, verdict } = key;
        const facts = { secret_id, region, ...accountOf(key), kid, sealed, hint, actor, verdict };
        return { ordinal, ...columnsOf(key), place, ...facts };
      }),
    );
    const rows = await this.#call(client, "byok_put_many_2", [given, this.#keepMs, this.#limitMs]);
    const stored = new Map(rows.map((row) => [Number(row["ordinal"]), row]));
    return keys.map((_, ordinal) => {
      const row = stored.get(ordinal);
      return row && { seq: Number(row["seq"]), secretId: row["previous"] as string | null };
    });
  }

  async remove(client: PostgresPoolClient, ref: KeyRef, { actor }: Attribution): Promise<StoreChange> {
    const values = [...valuesOf(ref), nodeCrypto().randomUUID(), actor, this.#keepMs, this.#limitMs];
    return toChange(await this.#call(client, "byok_remove_2", values)) as StoreChange;
  }

  async noteCheck(client: PostgresPoolClient, check: NotedCheck): Promise<boolean> {
    const { secretId, verdict, actor } = check;
    const values = [...valuesOf(check), secretId, verdict, actor, this.#limitMs];
    const [row] = await this.#call(client, "byok_note_check_2", values);
    return row?.["byok_note_check_2"] === "t";
  }

  async noteUse(client: PostgresPoolClient, use: NotedUse): Promise<boolean> {
    const values = [...valuesOf(use), use.secretId, use.verdict, this.#limitMs];
    const [row] = await this.#call(client, "byok_note_use_3", values);
    return row?.["byok_note_use_3"] === "t";
  }

  async noteAttempt(client: PostgresPoolClient, ref: KeyRef, { actor }: Attribution): Promise<void> {
    await this.#call(client, "byok_note_attempt_1", [...valuesOf(ref), actor, this.#limitMs]);
  }

  /** A function sees what its locks waited for only where the connection reads what is committed. */
  async #call(client: PostgresPoolClient, name: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    const parameters = values.map((_, index) => `$${index + 1}`).join(", ");
    const call = { text: `SELECT * FROM ${this.#prefix}${name}(${parameters})`, values, types: asText };
    if (!this.#needsTransaction) {
      try {
        return (await client.query(call)).rows as Record<string, unknown>[];
      } catch (error) {
        if ((error as { code?: unknown }).code !== wrongIsolation) throw error;
        this.#needsTransaction = true;
      }
    }
    const limit = `SET LOCAL idle_in_transaction_session_timeout = ${this.#limitMs}`;
    await client.query({ text: `BEGIN ISOLATION LEVEL READ COMMITTED; ${limit}` });
    const { rows } = await client.query(call);
    await client.query({ text: "COMMIT" });
    return rows as Record<string, unknown>[];
  }
}

/** Rows cross as text: a parser that the platform set for all of its own queries changes nothing here. */
export const asText: NonNullable<PostgresQuery["types"]> = { getTypeParser: () => String };

function columnsOf({ orgId, provider, name }: KeyRef): Record<string, string> {
  return { org_id: orgId, provider, name };
}

function accountOf({ account }: NewKey): KeyAccount {
  return { organization: account?.organization ?? null, project: account?.project ?? null };
}

function valuesOf({ orgId, provider, name }: KeyRef): string[] {
  return [orgId, provider, name];
}

function toChange([row]: readonly Record<string, unknown>[]): StoreChange | undefined {
  if (row === undefined) throw noSchema();
  if (row["outcome"] === "overtaken") return undefined;
  const references = JSON.parse(String(row["keys"])) as Readonly<Record<string, string>>;
  return { seq: Number(row["seq"]), secretId: row["previous"] as string | null, references };
}
