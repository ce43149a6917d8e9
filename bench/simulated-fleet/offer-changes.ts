/** Offers changes at a rate, in a process of its own. */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { createKeyManager, createKeyring, generateKeyring } from "../../src/index.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { failFastRedis } from "../../test/servers/redis-server.ts";

/** Changes under way at once; what is offered beyond them is not made. */
const maxUnderWay = 64;

const [, , databaseUrl = "", redisUrl = "", perSecond = "0", forMs = "0", organisations = "0"] = process.argv;
const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 });
const redis = failFastRedis(redisUrl);
const cache = redisCache({ redis, timeoutMs: 5_000 });
const store = postgresStore({ pool, timeoutMs: 10_000 });
const keyring = createKeyring(generateKeyring());
const manager = createKeyManager({ store, keyring, verify: "off", cache, deadlineMs: 20_000 });

const beganAtMs = performance.now();
const endsAtMs = beganAtMs + Number(forMs);
const underWay = new Set<Promise<unknown>>();
let offered = 0;
let failed = 0;
while (performance.now() < endsAtMs) {
  const due = ((performance.now() - beganAtMs) * Number(perSecond)) / 1_000;
  for (; offered < due; offered += 1) {
    if (underWay.size >= maxUnderWay) continue;
    const orgId = `org-${offered % Number(organisations)}`;
    const change = manager
      .set(orgId, { provider: "openai", apiKey: `key-of-change-${offered}` })
      .catch(() => {
        failed += 1;
      })
      .finally(() => underWay.delete(change));
    underWay.add(change);
  }
  await pause(1);
}
await Promise.all(underWay);
if (failed > 0) console.error(`${failed} of ${offered} changes failed.`);
redis.disconnect();
await pool.end();
