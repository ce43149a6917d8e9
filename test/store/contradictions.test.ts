import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { describe, expect, it } from "vitest";
import type { NewKey } from "../../src/store/key-change.ts";
import { ownPostgresStore, ownSqliteStore } from "../support/stores.ts";

const keyOf = (orgId: string): NewKey => ({
  ...{ orgId, provider: "openai", name: "default", secretId: randomUUID(), region: null, account: null, kid: "kek-1" },
  ...{ sealed: randomUUID(), hint: null, actor: null, verdict: "skipped", place: null },
});

const writeToSqlite = async (own: { url: string }, sql: string): Promise<void> => {
  const database = new DatabaseSync(own.url);
  database.exec(sql);
  database.close();
};
const writeToPostgres = async (own: { url: string; schema?: string }, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: own.url });
  await client.connect();
  await client.query(`SET search_path = ${own.schema}; ${sql}`);
  await client.end();
};

describe.each([
  ["SQLite", ownSqliteStore, writeToSqlite],
  ["Postgres", ownPostgresStore, writeToPostgres],
] as const)("a %s that somebody writes to beside byokit", (_, open, write) => {
  it("is contradicted by its audit trail: a key put back, one of nobody's, and one taken away", async () => {
    await using own = await open();
    const keys = ["back", "gone", "kept"].map(keyOf);
    for (const key of keys) await own.store.put(key);
    const [back, gone] = keys as [NewKey, NewKey];
    await write(own, "CREATE TABLE copies AS SELECT * FROM byok_secret WHERE org_id = 'back'");
    await own.store.remove({ orgId: "back", provider: "openai", name: "default" }, { actor: null });
    await write(
      own,
      `INSERT INTO byok_secret SELECT * FROM copies; DELETE FROM byok_secret WHERE org_id = 'gone';
       UPDATE copies SET org_id = 'nobody', secret_id = 'of nobody'; INSERT INTO byok_secret SELECT * FROM copies`,
    );
    const ref = { provider: "openai", name: "default" };
    expect(await own.store.findContradictions(10)).toEqual([
      { orgId: "back", ...ref, secretId: back.secretId, auditedSecretId: null },
      { orgId: "gone", ...ref, secretId: null, auditedSecretId: gone.secretId },
      { orgId: "nobody", ...ref, secretId: "of nobody", auditedSecretId: null },
    ]);
    expect(await own.store.findContradictions(1)).toHaveLength(1);
  });
});
