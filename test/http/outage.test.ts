import pg from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createHandler } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring, type KeyStore } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { type OwnPostgresServer, ownPostgresServer } from "../servers/postgres-server.ts";
import { Api, type ApiAnswer } from "../support/api.ts";

let server: OwnPostgresServer;
let pool: pg.Pool;
let store: KeyStore;
let api: Api;

beforeAll(async () => {
  server = await ownPostgresServer();
  pool = new pg.Pool({ connectionString: server.url, max: 5 });
  pool.on("error", () => {});
  store = postgresStore({ pool, timeoutMs: 700 });
  await store.migrate();
  const manager = createKeyManager({
    store,
    keyring: createKeyring(generateKeyring()),
    verify: "off",
    deadlineMs: 1_500,
  });
  api = await Api.of(createHandler({ manager, authenticate: async () => ({ orgId: "org", canWrite: true }) }));
});
afterAll(async () => {
  server.signal("SIGCONT");
  await pool.end();
  await server.stop();
});

const post = (): Promise<ApiAnswer> => api.send("POST", "/byok", { body: { provider: "openai", api_key: "own-key" } });
const remove = (provider = "openai"): Promise<ApiAnswer> => api.send("DELETE", "/byok", { body: { provider } });

/** What was written is whole: one key that the reference names, a log without gaps, and a trail that ends in the state. */
const expectWhole = async (): Promise<void> => {
  const [snapshot] = await store.snapshots(["org"]);
  const [last, ...before] = await store.audit("org", { before: null, limit: 1_000 });
  const reference = snapshot?.keys.map(({ secretId }) => secretId) ?? [];
  expect(reference).toEqual(last?.secretId == null ? [] : [last.secretId]);
  expect([last?.seq, before.length + 1]).toEqual([snapshot?.asOf, snapshot?.asOf]);
  const { changes } = await store.poll({ after: 0 });
  expect(changes).toHaveLength(snapshot?.asOf ?? -1);
};

/** Requests until one is answered with 200, as a client does that heeds 503. */
const retried = async (request: () => Promise<ApiAnswer>): Promise<ApiAnswer> =>
  await vi.waitFor(
    async () => {
      const answer = await request();
      expect(answer.status).toBe(200);
      return answer;
    },
    { timeout: 20_000, interval: 100 },
  );

it("whose database is stopped in the middle of requests is 503, writes nothing by halves, and a retry ends in the right state", async () => {
  await retried(post);
  server.signal("SIGSTOP");
  const failed = await Promise.all([post(), remove("xai"), api.send("GET", "/byok"), api.send("GET", "/byok/audit")]);
  for (const { status, headers } of failed) expect([status, headers.get("retry-after")]).toEqual([503, "2"]);
  server.signal("SIGCONT");
  expect((await retried(() => remove())).json.byok_keys.openai_secret_id).toBeNull();
  await expectWhole();
  expect((await retried(post)).json.byok_keys.openai_secret_id).not.toBeNull();
  await expectWhole();
}, 60_000);

it("whose connections are killed in the middle of requests is 200, 409 or 503, and what was answered is what is stored", async () => {
  const killer = new pg.Client({ connectionString: server.url });
  await killer.connect();
  let isWriting = true;
  const seen = new Map([
    [200, 0],
    [409, 0],
    [503, 0],
  ]);
  let killed = 0;
  const killing = (async () => {
    while (isWriting) {
      const { rowCount } = await killer.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%byok_%'",
      );
      killed += rowCount ?? 0;
      // However fast it kills, the next request gets its chance.
      const done = seen.get(200) ?? 0;
      await vi.waitFor(() => expect(!isWriting || (seen.get(200) ?? 0) > done).toBe(true), {
        timeout: 20_000,
        interval: 1,
      });
    }
  })();
  for (let round = 0; round < 60; round += 1) {
    for (const { status } of await Promise.all([post(), remove(), post()]))
      seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  isWriting = false;
  await killing;
  await killer.end();
  expect([...seen.keys()].sort()).toEqual([200, 409, 503]);
  expect(killed).toBeGreaterThan(0);
  expect(seen.get(200)).toBeGreaterThan(0);
  await retried(post);
  await expectWhole();
}, 60_000);
