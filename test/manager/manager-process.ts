import pg from "pg";
import { createKeyManager, createKeyring, isByokError } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";

/** A manager in a process of its own, which changes keys until it is killed. It gets its orders as JSON. */
const { url, schema, keyring, orgIds } = JSON.parse(process.argv[2] ?? "") as {
  readonly url: string;
  readonly schema: string;
  readonly keyring: string;
  readonly orgIds: readonly string[];
};
const pool = new pg.Pool({ connectionString: url, max: 4 });
pool.on("error", () => {});
const store = postgresStore({ pool, schema, timeoutMs: 10_000 });
const manager = createKeyManager({ store, keyring: createKeyring(keyring), verify: "off", deadlineMs: 20_000 });

const change = async (turn: number): Promise<unknown> => {
  const orgId = orgIds[turn % orgIds.length] as string;
  if (turn % 4 === 3) return await manager.remove(orgId, { provider: "openai" });
  return await manager.set(orgId, { provider: "openai", apiKey: `key-${turn}-of-the-killed` });
};
const changeForEver = async (first: number): Promise<never> => {
  for (let turn = first; ; turn += 4) {
    await change(turn).catch((error: unknown) => {
      if (!isByokError(error) || error.code !== "key_changed") throw error;
    });
    process.send?.("changed");
  }
};
await Promise.all([0, 1, 2, 3].map(changeForEver));
