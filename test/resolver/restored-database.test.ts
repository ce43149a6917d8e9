import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { agent, type Platform, platform } from "../support/worker.ts";

let folder: string;
let path: string;
let here: Platform;

/** Puts the copy back, and makes a change of its own there, so that one number names two changes. */
const restore = async (copy: string): Promise<void> => {
  await here.store.close();
  for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
  renameSync(copy, path);
  await here.manager.set("other", { provider: "ada", apiKey: "key-of-other" });
};
const backup = (): string => {
  const copy = join(folder, "backup");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  copyFileSync(path, copy);
  return copy;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "byokit-restored-"));
  path = join(folder, "byok.sqlite");
  const store = sqliteStore({ path, timeoutMs: 5_000 });
  await store.migrate();
  here = await platform(store);
});
afterEach(async () => {
  await here.store.close();
  rmSync(folder, { recursive: true });
});

it("a key that only the lost history knew is not handed out after a backup was restored", async () => {
  await using worker = here.worker();
  await worker.resolver.resolve("org", agent);
  const copy = backup();
  await here.manager.set("org", { provider: "ada", apiKey: "lost-key" });
  await worker.clock.advance(3_000);
  expect((await worker.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("lost-key");
  await restore(copy);
  await worker.clock.advance(3_000);
  expect(worker.events).toContainEqual({ type: "flushed", reason: "other_history" });
  expect((await worker.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("platform-ada");
});

it("an operator is told which organisations to look at after a backup was restored, by event and by health()", async () => {
  await using worker = here.worker();
  await worker.resolver.resolve("org", agent);
  await here.manager.set("org", { provider: "ada", apiKey: "leaked-key" });
  await worker.clock.advance(3_000);
  await worker.resolver.resolve("org", agent);
  const copy = backup();
  await here.manager.remove("org", { provider: "ada" });
  await here.manager.set("third", { provider: "ada", apiKey: "key-of-third" });
  await worker.clock.advance(3_000);
  expect((await worker.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("platform-ada");
  expect(worker.resolver.health().lostHistory).toBeNull();
  await restore(copy);
  await worker.clock.advance(3_000);
  const lost = { lastSeq: 3, head: 2, orgIds: ["third", "org"], organisations: 2 };
  expect(worker.events).toContainEqual({ type: "history_lost", ...lost });
  expect(worker.resolver.health().lostHistory).toEqual(lost);
});

it("the first read that meets the restored database tells, ahead of the next poll", async () => {
  await using worker = here.worker();
  await worker.resolver.resolve("warm", agent);
  const copy = backup();
  await here.manager.set("org", { provider: "ada", apiKey: "lost-key" });
  await worker.clock.advance(3_000);
  await worker.resolver.resolve("org", agent);
  await restore(copy);
  await worker.link.poll({ windowMs: 0 });
  expect((await worker.resolver.resolve("other", agent)).llm.credential.key.reveal()).toBe("key-of-other");
  expect(worker.events).toContainEqual({ type: "flushed", reason: "other_history" });
  expect((await worker.resolver.resolve("org", agent)).llm.credential.key.reveal()).toBe("platform-ada");
});

it("nothing is polled for once a flush has left nothing to remember", async () => {
  await using worker = here.worker();
  await worker.resolver.resolve("org", agent);
  const copy = backup();
  await here.manager.set("org", { provider: "ada", apiKey: "lost-key" });
  await worker.clock.advance(3_000);
  await restore(copy);
  await worker.clock.advance(3_000);
  const { polls } = worker.link.sent;
  await worker.clock.advance(60_000);
  expect(worker.link.sent.polls).toBe(polls);
});
