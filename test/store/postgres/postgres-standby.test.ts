import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { type OwnPostgresServer, ownPostgresServer } from "../../servers/postgres-server.ts";
import { promoted, standbyOf } from "../../servers/postgres-topology.ts";
import { waitFor } from "../../support/wait-for.ts";
import { agent, platform } from "../../support/worker.ts";

let primary: OwnPostgresServer;
let standby: OwnPostgresServer;
let onPrimary: pg.Pool;
let onStandby: pg.Pool;

beforeAll(async () => {
  primary = await ownPostgresServer();
  onPrimary = new pg.Pool({ connectionString: primary.url });
  onPrimary.on("error", () => {});
  const store = postgresStore({ pool: onPrimary, timeoutMs: 10_000 });
  await store.migrate();
  standby = await standbyOf(primary);
  onStandby = new pg.Pool({ connectionString: standby.url });
  onStandby.on("error", () => {});
});
afterAll(async () => {
  await onStandby.end();
  await standby.stop();
  await onPrimary.end();
  await primary.stop();
});

it("a standby is refused, whatever is asked of it", async () => {
  const store = postgresStore({ pool: onStandby, timeoutMs: 10_000 });
  const refused = { code: "store_unavailable", message: expect.stringMatching(/primary/u) };
  await expect(store.snapshots(["org"])).rejects.toMatchObject(refused);
  await expect(store.poll({ windowMs: 0 })).rejects.toMatchObject(refused);
  const key = {
    orgId: "org",
    provider: "ada",
    secretId: randomUUID(),
    region: null,
    account: null,
    kid: "k",
    sealed: "s",
  };
  await expect(
    store.put({ ...key, hint: null, actor: null, verdict: "skipped", place: null, name: "default" }),
  ).rejects.toMatchObject(refused);
});

it("a standby that was promoted is another history: what only the lost primary knew is handed out no more", async () => {
  let pool = onPrimary;
  const store = postgresStore({ pool: { connect: () => pool.connect() }, timeoutMs: 10_000 });
  const { manager, worker } = await platform(store);
  await using here = worker();
  await manager.set("org", { provider: "ada", apiKey: "lost-key" });
  expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("lost-key");
  await promoted(standby);
  pool = onStandby;
  // As many changes as the lost primary had seen: the numbers agree, the timeline does not.
  await manager.set("other", { provider: "ada", apiKey: "key-of-other" });
  await here.clock.advance(3_000);
  await waitFor(() => expect(here.events).toContainEqual({ type: "flushed", reason: "other_incarnation" }));
  expect((await here.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("platform-ada");
  expect(here.resolver.health().lostHistory).toMatchObject({ lastSeq: 1, head: 1 });
});
