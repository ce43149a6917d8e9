import { randomUUID } from "node:crypto";
import pg from "pg";
import { expect, inject, it } from "vitest";
import { createKeyManager, createKeyring, generateKeyring } from "../../../src/index.ts";
import { createResolver } from "../../../src/resolver/create-resolver.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { startPgBouncer } from "../../servers/pgbouncer.ts";
import { agent, platformKeys, vendors } from "../../support/worker.ts";

it.each([
  ["transaction", {}],
  ["transaction", { prepare: false }],
  ["session", {}],
] as const)("behind a pooler in %s mode with %j every change and every read works", async (mode, options) => {
  const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
  const database = `pooled_${randomUUID().slice(0, 8)}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = database;
  const bouncer = await startPgBouncer(url.href, mode);
  const pool = new pg.Pool({ connectionString: bouncer.url, max: 8, connectionTimeoutMillis: 20_000 });
  pool.on("error", () => {});
  try {
    const store = postgresStore({ pool, timeoutMs: 20_000, ...options });
    await store.migrate();
    const keyring = createKeyring(generateKeyring());
    const manager = createKeyManager({ store, keyring, providers: vendors, deadlineMs: 20_000 });
    await using resolver = createResolver({ store, keyring, providers: vendors, platformKeys, deadlineMs: 20_000 });
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let round = 0; round < 6; round += 1) {
          const orgId = `org-${worker}-${round}`;
          await manager.set(orgId, { provider: "ada", apiKey: `key-of-${orgId}`, region: "eu" });
          const { llm } = await resolver.resolve(orgId, agent);
          expect(llm.credential.key.reveal()).toBe(`key-of-${orgId}`);
          expect(await manager.describe(orgId)).toHaveLength(1);
          expect((await manager.audit(orgId)).entries).toHaveLength(1);
          await manager.remove(orgId, { provider: "ada" });
        }
      }),
    );
    const warnings =
      mode === "transaction" && !("prepare" in options) ? [expect.stringContaining("prepare: false")] : [];
    expect(resolver.health().warnings).toEqual(warnings);
  } finally {
    await pool.end();
    await bouncer.stop();
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.end();
  }
});
