import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { maxWindowRows } from "../../src/store/change-log.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import { idleCache } from "../support/idle-cache.ts";
import { settle } from "../support/manual-clock.ts";
import { ownPostgresStore, ownSqliteStore } from "../support/stores.ts";
import { agent, platform } from "../support/worker.ts";

const rows = 70_000;
/** An empty cache whose entries live for an hour: a worker that has one reads the log back that far. */
const hourLong = idleCache({ maxAgeMs: 3_600_000 });

async function longMemoryStore() {
  const store = memoryStore();
  await store.migrate();
  const ref = {
    orgId: "org",
    provider: "ada",
    name: "default",
    region: null,
    account: null,
    kid: "kek-1",
    sealed: "s",
    hint: null,
  };
  const facts = { actor: null, verdict: "skipped", place: null } as const;
  for (let seq = 1; seq <= rows; seq += 1) await store.put({ ...ref, ...facts, secretId: `secret-${seq}` });
  return { store, async [Symbol.asyncDispose]() {} };
}

async function longSqliteStore() {
  const own = await ownSqliteStore();
  const file = new DatabaseSync(own.url);
  file.exec(`WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${rows})
    INSERT INTO byok_log (seq, org_id, change_id, at_ms) SELECT seq, 'org', 'change-' || seq, ${Date.now()} FROM n;
    UPDATE byok_clock SET seq = ${rows}`);
  file.close();
  return own;
}

async function longPostgresStore() {
  const own = await ownPostgresStore();
  const client = new pg.Client({ connectionString: own.url });
  await client.connect();
  await client.query(`SET search_path = ${own.schema};
    INSERT INTO byok_log (seq, org_id, change_id, at_ms)
    SELECT seq, 'org', 'change-' || seq, ${Date.now()} FROM generate_series(1, ${rows}) seq;
    UPDATE byok_clock SET seq = ${rows}; ANALYZE byok_log`);
  await client.end();
  return own;
}

describe.each([
  ["memory", longMemoryStore],
  ["SQLite", longSqliteStore],
  ["Postgres", longPostgresStore],
])("a log in %s that is longer than what a worker keeps of it", (_, open) => {
  it("is read back as far as that and no further, page by page, and the worker is ready then", async () => {
    await using own = await open();
    const page = await own.store.poll({ windowMs: 3_600_000 });
    expect([page.head, page.after]).toEqual([rows, rows - maxWindowRows]);
    expect(page.afterChangeId).toEqual(expect.any(String));
    const { worker } = await platform(own.store);
    await using here = worker({ cache: hourLong });
    await here.resolver.ready();
    expect(here.link.sent.polls).toBe(Math.ceil(maxWindowRows / 1_000));
    expect(here.resolver.health()).toMatchObject({ isReady: true, feed: { lastSeq: rows, head: rows } });
  });
});

/** A store of 2,500 changes that shows one page of its log, and the next ones when it is let. */
async function storeOfPages() {
  const store = memoryStore();
  await store.migrate();
  let isShown = false;
  const waiting: (() => void)[] = [];
  for (let at = 0; at < 2_500; at += 1) await store.remove(await added(store, at), { actor: null });
  const slow: KeyStore = {
    ...store,
    async poll(cursor) {
      if ("after" in cursor && !isShown) await new Promise<void>((resolve) => waiting.push(resolve));
      return await store.poll(cursor);
    },
  };
  const showPage = (): void => waiting.shift()?.();
  const show = (): void => {
    isShown = true;
    showPage();
  };
  return { slow, showPage, show };
}

async function added(store: KeyStore, at: number) {
  const ref = { orgId: `org-${at}`, provider: "ada", name: "default" };
  const facts = {
    region: null,
    account: null,
    kid: "kek-1",
    sealed: "s",
    hint: null,
    actor: null,
    verdict: "skipped",
  } as const;
  await store.put({ ...ref, ...facts, secretId: `secret-${at}`, place: null });
  return ref;
}

describe("a worker whose log is not read to its head by its deadline", () => {
  it("says how far it is, is not ready, and goes on from there", async () => {
    const { slow, showPage, show } = await storeOfPages();
    const { worker } = await platform();
    await using here = worker({ cache: hourLong, store: slow });
    const ready = here.resolver.ready();
    const message = expect.stringMatching(/^2000 of the log's 5000 changes were read/u);
    const failed = expect(ready).rejects.toMatchObject({ code: "deadline_exceeded", retryable: true, message });
    await here.clock.advance(1_500);
    expect(here.resolver.health()).toMatchObject({ isReady: false, feed: { lastSeq: 1_000, head: 5_000 } });
    showPage();
    await settle();
    await here.clock.advance(500);
    await failed;
    show();
    await here.resolver.ready();
    expect(here.resolver.health().isReady).toBe(true);
  });

  it("answers calls from the database meanwhile", async () => {
    const { slow, show } = await storeOfPages();
    const { worker } = await platform();
    await using here = worker({ cache: hourLong, store: slow });
    const call = here.resolver.resolve("org", agent);
    await settle();
    await here.clock.advance(400);
    expect((await call).llm.source).toBe("platform");
    show();
    await here.resolver.ready();
  });
});
