/** A call worker in a process of its own, under steady load. Tells its parent what every call was handed out. */
import pg from "pg";
import { redisCache } from "../../src/cache/redis-cache.ts";
import { createKeyring, createResolver, isByokError } from "../../src/index.ts";
import { postgresStore } from "../../src/vault/postgres-store.ts";
import { connectRedis } from "../servers/redis-topology.ts";
import type { Outcome, WorkerOptions } from "./deployment.ts";
import { ada } from "./vendor.ts";

const { postgresUrl, redis, prefix, keyring, leaseMs, pollMs, orgs, callsPerSecond } = JSON.parse(
  process.argv[2] ?? "",
) as WorkerOptions;
const pool = new pg.Pool({ connectionString: postgresUrl, max: 5 });
pool.on("error", () => {});
const resolver = createResolver({
  store: postgresStore({ pool, timeoutMs: 500 }),
  keyring: createKeyring(keyring),
  ...(redis === null ? {} : { cache: redisCache({ redis: connectRedis(redis), prefix }) }),
  providers: [ada],
  platformKeys: { ada: "platform" },
  leaseMs,
  pollMs,
});
await resolver.ready();

const outcomes: Outcome[] = [];
const call = async (): Promise<void> => {
  const orgId = `org-${Math.floor(Math.random() * orgs)}`;
  const startedAt = Date.now();
  try {
    const { llm } = await resolver.resolve(orgId, { llm_config: { provider: "ada" } }, { deadlineMs: 1_000 });
    outcomes.push({ orgId, value: llm.client, stale: llm.stale, startedAt, endedAt: Date.now() });
  } catch (error) {
    const failed = isByokError(error) ? error.code : String(error);
    outcomes.push({ orgId, failed, stale: false, startedAt, endedAt: Date.now() });
  }
};
setInterval(() => void call(), 1_000 / callsPerSecond);
setInterval(() => process.send?.(outcomes.splice(0)), 50);
process.on("disconnect", () => process.exit());
process.send?.([]);
