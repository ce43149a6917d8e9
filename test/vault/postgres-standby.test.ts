import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chownSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { postgresStore } from "../../src/vault/postgres-store.ts";
import { ownPostgresServer, type PostgresServer } from "../servers/postgres-server.ts";
import { agent, platform } from "../support/worker.ts";

let primary: PostgresServer & { readonly dataFolder: string };
let standby: PostgresServer;
let onPrimary: pg.Pool;
let onStandby: pg.Pool;

/** A copy of the running primary, as an asynchronous standby that has received nothing since has it. */
const standbyOf = async ({ dataFolder }: { readonly dataFolder: string }): Promise<PostgresServer> => {
  const copy = join(dirname(dataFolder), "standby");
  const session = await onPrimary.connect();
  await session.query("SELECT pg_backup_start('standby', true)");
  execFileSync("cp", ["-a", dataFolder, copy]);
  const { rows } = await session.query("SELECT labelfile FROM pg_backup_stop(false)");
  session.release();
  execFileSync("cp", ["-a", `${join(dataFolder, "pg_wal")}/.`, join(copy, "pg_wal")]);
  rmSync(join(copy, "postmaster.pid"));
  const { uid, gid } = statSync(dataFolder);
  const { labelfile } = rows[0] as { labelfile: string };
  for (const [name, text] of [["backup_label", labelfile] as const, ["standby.signal", ""] as const]) {
    writeFileSync(join(copy, name), text);
    chownSync(join(copy, name), uid, gid);
  }
  return await ownPostgresServer(copy);
};

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
  const key = { orgId: "org", provider: "ada", secretId: randomUUID(), region: null, kid: "k", sealed: "s" };
  await expect(store.put({ ...key, hint: null, actor: null, verification: "skipped" })).rejects.toMatchObject(refused);
});

it("a standby that was promoted is another history: what only the lost primary knew is handed out no more", async () => {
  let pool = onPrimary;
  const store = postgresStore({ pool: { connect: () => pool.connect() }, timeoutMs: 10_000 });
  const { manager, worker } = await platform(store);
  await using here = worker();
  await manager.set("org", { provider: "ada", apiKey: "lost-key" });
  expect((await here.resolver.resolve("org", agent)).llm.client.key).toBe("lost-key");
  await onStandby.query("SELECT pg_promote()");
  await vi.waitFor(async () => {
    expect((await onStandby.query("SELECT pg_is_in_recovery() AS waits")).rows).toEqual([{ waits: false }]);
  });
  pool = onStandby;
  // As many changes as the lost primary had seen: the numbers agree, the timeline does not.
  await manager.set("other", { provider: "ada", apiKey: "key-of-other" });
  await here.clock.advance(3_000);
  await vi.waitFor(() => expect(here.events).toContainEqual({ type: "flushed", reason: "other_incarnation" }));
  expect((await here.resolver.resolve("org", agent)).llm.client.key).toBe("platform-ada");
});
