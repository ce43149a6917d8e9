import { createKeyring, createResolver, generateKeyring } from "byokit";
import { postgresStore } from "byokit/postgres";
import { redisCache } from "byokit/redis";
import pg from "pg";
import { ownPostgresServer } from "../test/servers/postgres-server.ts";
import { failFastRedis, ownRedisServer } from "../test/servers/redis-server.ts";
import { median } from "./take-turns.ts";

/** An hour of them, as long as an entry lives in Redis; a worker reads the newest 65,536 back. */
export const longLogRows: number = 75 * 3_600;
const workers = 5;

/** How long `ready()` takes on a log of that many changes, each of another organisation; the median of new workers. */
export async function longLogMs(): Promise<number> {
  const [postgres, redisServer] = [await ownPostgresServer(), await ownRedisServer()];
  const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
  const redis = failFastRedis(redisServer.url);
  const store = postgresStore({ pool });
  await store.migrate();
  const beganAtMs = Date.now() - 3_600_000;
  await pool.query(`INSERT INTO byok_log (seq, org_id, change_id, at_ms)
    SELECT seq, 'org-' || seq, gen_random_uuid()::text, ${beganAtMs} + seq * 3600000 / ${longLogRows}
    FROM generate_series(1, ${longLogRows}::bigint) seq;
    UPDATE byok_clock SET seq = ${longLogRows}`);
  // As the server does by itself within a minute.
  await pool.query("VACUUM ANALYZE byok_log");
  const keyring = createKeyring(generateKeyring());
  const times: number[] = [];
  for (let worker = 0; worker < workers; worker += 1) {
    const resolver = createResolver({
      store,
      keyring,
      clients: false,
      cache: redisCache({ redis }),
      deadlineMs: 30_000,
    });
    const beganMs = performance.now();
    await resolver.ready();
    times.push(performance.now() - beganMs);
    await resolver.close();
  }
  redis.disconnect();
  await pool.end();
  await Promise.all([redisServer.stop(), postgres.stop()]);
  return median(times);
}
