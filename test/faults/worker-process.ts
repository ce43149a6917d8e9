/** A call worker in a process of its own, under steady load. Tells its parent what every call was handed out. */
import pg from "pg";
import { createKeyring, createResolver } from "../../src/index.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { connectRedis } from "../servers/redis-topology.ts";
import { ada } from "../support/ada.ts";
import { Calls } from "./calls.ts";
import type { WorkerOptions } from "./running-worker.ts";

const { databaseUrl, redis, prefix, keyring, leaseMs, pollMs, deadlineMs } = JSON.parse(
  process.argv[2] ?? "",
) as WorkerOptions;
const pool = new pg.Pool({ connectionString: databaseUrl, max: 5 });
pool.on("error", () => {});
const calls = new Calls(deadlineMs);
const resolver = createResolver({
  store: postgresStore({ pool, timeoutMs: 500 }),
  keyring: createKeyring(keyring),
  ...(redis === null ? {} : { cache: redisCache({ redis: connectRedis(redis), prefix }) }),
  providers: [ada],
  platformKeys: { ada: "platform" },
  leaseMs,
  pollMs,
  onEvent: (event) => calls.heard(event),
});
await resolver.ready();
process.on("message", (orgIds: readonly string[]) => {
  calls.orgIds = orgIds;
});
process.on("disconnect", () => process.exit());
calls.begin(resolver);
setInterval(() => process.send?.(calls.report()), 50);
