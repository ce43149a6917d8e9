import { createKeyManager, createKeyring, createResolver, generateKeyring } from "byokit";
import { postgresStore } from "byokit/postgres";
import type { Pool } from "pg";
import { orgIds } from "./worker-in-memory.ts";
import { apiKey } from "./worker-with-client.ts";

/** A worker that reads every organisation anew, and one that has all of them in its memory. */
export async function workersOnPostgres(pool: Pool, baseURL: string) {
  const store = postgresStore({ pool });
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  await createKeyManager({ store, keyring, verify: "off", deadlineMs: 120_000 }).setMany(
    orgIds.map((orgId) => ({ orgId, provider: "openai", apiKey: `${apiKey}-${orgId}` })),
  );
  // As the server does by itself within a minute.
  await pool.query("VACUUM ANALYZE");
  const settings = { store, keyring, endpoints: { openai: baseURL } };
  const [cold, warm] = [createResolver({ ...settings, maxOrgs: 1 }), createResolver(settings)];
  for (const resolver of [cold, warm]) await resolver.ready();
  for (const orgId of orgIds) await warm.resolve(orgId, llm);
  const clientFrom = async (resolver: typeof cold, orgId: string) => (await resolver.resolve(orgId, llm)).llm.client;
  return {
    coldClient: (orgId: string) => clientFrom(cold, orgId),
    warmClient: (orgId: string) => clientFrom(warm, orgId),
    async stop(): Promise<void> {
      for (const resolver of [cold, warm]) await resolver.close();
      await store.close();
    },
  };
}

const llm = { llm_config: { provider: "openai" } } as const;
