import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspect, promisify } from "node:util";
import pg from "pg";
import { afterAll, describe, expect, inject, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyStore,
  memoryStore,
} from "../src/index.ts";
import { postgresStore } from "../src/store/postgres/postgres-store.ts";
import { sqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { tracesBelow, tracesIn } from "./support/traces-of.ts";

const planted = "planted-key-AbCdEfGhIjKlMnOpQrStUvWxYz-0123456789";
const folder = mkdtempSync(join(tmpdir(), "byokit-planted-"));
const keyring = createKeyring(generateKeyring());

/** Everything that is done with a key: stored, replaced, read, removed, stored again. */
const use = async (store: KeyStore): Promise<void> => {
  const manager = createKeyManager({ store, keyring, verify: "off" });
  const resolver = createResolver({ store, keyring, deadlineMs: 20_000 });
  for (const provider of ["openai", "deepgram"]) {
    await manager.set("org", { provider, apiKey: planted, actor: "ann" });
    await manager.set("org", { provider, apiKey: `${planted}-2` });
  }
  const call = await resolver.resolve("org", { llm_config: { provider: "openai" } });
  expect(call.llm.credential.key.reveal()).toContain(planted);
  await manager.remove("org", { provider: "openai" });
  await resolver.close();
};

afterAll(() => rmSync(folder, { recursive: true }));

describe("the scan", () => {
  const bytes = Buffer.from(planted);
  it.each([
    ["text", bytes],
    ["UTF-16", Buffer.from(planted, "utf16le")],
    ["hexadecimal", Buffer.from(bytes.toString("hex"))],
    ["base64 at 0", Buffer.from(bytes.toString("base64"))],
    ["base64 at 1", Buffer.from(Buffer.from(`{${planted}}`).toString("base64"))],
    ["base64 at 2", Buffer.from(Buffer.from(`{"${planted}"}`).toString("base64url"))],
  ])("finds a key that stands in a file as %s", (spelling, content) => {
    const below = join(folder, "scan", spelling);
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, "other"), "nothing");
    writeFileSync(join(below, "file"), Buffer.concat([Buffer.alloc(9_000, 7), content, Buffer.alloc(9_000, 7)]));
    expect(tracesBelow(below, planted)).toContain(`${join(below, "file")}: ${spelling}`);
  });
});

describe("a stored key is found", () => {
  it("nowhere in SQLite's file and its log", async () => {
    const below = join(folder, "sqlite");
    mkdirSync(below);
    const store = sqliteStore({ path: join(below, "byok.sqlite") });
    await store.migrate();
    await use(store);
    const [snapshot] = await store.snapshots(["org"]);
    const sealed = snapshot?.keys[0]?.sealed ?? "";
    expect(tracesBelow(below, sealed).length, "The scan does not reach the rows.").toBeGreaterThan(0);
    expect(tracesBelow(below, planted)).toEqual([]);
    await store.close();
    expect(tracesBelow(below, planted)).toEqual([]);
  });

  it("nowhere in Postgres' rows, and nowhere in its data folder where that can be read", async () => {
    const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });
    const name = `byokit_${randomUUID().replaceAll("-", "")}`;
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(inject("postgresUrl"));
    url.pathname = `/${name}`;
    const pool = new pg.Pool({ connectionString: url.href });
    const store = postgresStore({ pool, timeoutMs: 5_000 });
    await store.migrate();
    await use(store);
    const { rows } = await pool.query("SELECT * FROM byok_secret, byok_log, byok_clock");
    expect(rows.length).toBeGreaterThan(0);
    expect(tracesIn(Buffer.from(JSON.stringify(rows)), planted)).toEqual([]);
    const dataFolder = inject("postgresDataFolder");
    if (dataFolder !== null) {
      await pool.query("CHECKPOINT");
      const sealed = (rows[0] as { sealed: string }).sealed;
      expect(tracesBelow(dataFolder, sealed).length, "The scan does not reach the rows.").toBeGreaterThan(0);
      expect(tracesBelow(dataFolder, planted)).toEqual([]);
    }
    await pool.end();
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  });
});

describe("a key in use is found", () => {
  it("nowhere in slots, clients, the resolver, the manager and the errors, inspected or serialised", async () => {
    const store = memoryStore();
    await store.migrate();
    const manager = createKeyManager({ store, keyring, verify: "off" });
    const resolver = createResolver({ store, keyring, platformKeys: { xai: planted } });
    await resolver.ready();
    for (const provider of ["openai", "deepgram", "elevenlabs", "resend"]) {
      await manager.set("org", { provider, apiKey: planted });
    }
    const call = await resolver.resolve("org", {
      llm_config: { provider: "openai" },
      stt_config: { provider: "deepgram" },
      tts_config: { provider: "elevenlabs" },
      realtime_config: { provider: "xai" },
    });
    const mail = await resolver.client("org", "resend");
    const clients = [call.llm.client, call.stt.client, call.tts.client, call.realtime.client, mail.client];
    const errors = await Promise.all([
      manager.set("org", { provider: planted, apiKey: planted }).catch((error: unknown) => error),
      manager.set("org", { provider: "resend", apiKey: `xai-${planted}` }).catch((error: unknown) => error),
      manager.set("org", { provider: "openai", apiKey: planted, region: planted }).catch((error: unknown) => error),
      resolver.resolve("org", { llm_config: { provider: planted } }).catch((error: unknown) => error),
      resolver.resolve("org", { llm_config: planted } as object).catch((error: unknown) => error),
    ]);
    for (const error of errors) expect(error).toBeInstanceOf(Error);
    for (const value of [
      ...clients,
      call,
      mail,
      resolver,
      manager,
      resolver.health(),
      await manager.describe("org"),
      errors,
    ]) {
      const shown = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true });
      expect(tracesIn(Buffer.from(shown), planted)).toEqual([]);
      expect(tracesIn(Buffer.from(serialised(value)), planted)).toEqual([]);
    }
    await resolver.close();
  });

  it("nowhere in what the demo prints, which shows whose key served every slot", async () => {
    const root = resolve(import.meta.dirname, "..");
    const run = (...more: string[]) =>
      promisify(execFile)("npm", ["run", "--silent", "demo", ...more], { cwd: root, maxBuffer: 10_000_000 });
    const { stdout: tableOfCalls, stderr } = await run();
    const { stdout: json } = await run("--", "--json");
    expect(`${tableOfCalls}${stderr}${json}`).not.toContain("-key-of-");
    const { calls } = JSON.parse(json) as { calls: { orgId: string; slots: Record<string, string>[] }[] };
    const served = new Set(calls.flatMap(({ slots }) => slots.map(({ provider }) => provider)));
    expect([...served].sort()).toEqual(["deepgram", "elevenlabs", "openai", "resend", "xai"]);
    for (const { slots } of calls) {
      for (const slot of slots) {
        expect(slot).toMatchObject({ slot: expect.any(String), model: expect.any(String), reason: expect.any(String) });
        expect(["byok", "platform"]).toContain(slot["source"]);
      }
    }
  }, 120_000);
});

function serialised(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch (error) {
    return String(error);
  }
}
