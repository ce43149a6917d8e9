import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, beforeEach, describe, expect, inject, it } from "vitest";
import { parseTokens } from "../../src/http/index.ts";
import { type ChangeNotice, generateKeyring } from "../../src/index.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { schemaSteps } from "../../src/store/postgres/schema-steps.ts";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { startProviderDoubles } from "../../src/testing/index.ts";
import { failFastRedis } from "../servers/redis-server.ts";
import { useBuiltPackage } from "../support/built-package.ts";
import { ownPostgresStore } from "../support/stores.ts";
import { waitFor } from "../support/wait-for.ts";
import { runHere } from "./run-here.ts";

const planted = "planted-key-AbCdEfGhIjKlMnOp-7890";
const built = useBuiltPackage();
const folders: string[] = [];
let folder: string;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}
interface Run {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const start = (arguments_: readonly string[], { env = {} }: Run = {}) =>
  spawn(process.execPath, [join(built(), "cli/main.js"), ...arguments_], {
    cwd: folder,
    env: { PATH: process.env["PATH"], BYOK_KEYRING: "./keyring.json", BYOK_DATABASE_URL: "./byok.sqlite", ...env },
  });
const byokit = async (arguments_: readonly string[], run: Run = {}): Promise<Ended> => {
  const child = start(arguments_, run);
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    error += String(chunk);
  });
  child.stdin.end(run.input ?? "");
  const [code] = await once(child, "close");
  return { code, out, error };
};
/** A command that must succeed, and what it prints as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: what commands print has every shape.
const json = async (arguments_: readonly string[], run?: Run): Promise<any> => {
  const { code, out, error } = await byokit([...arguments_, "--json"], run);
  expect([code, error]).toEqual([0, ""]);
  return JSON.parse(out);
};
const set = (input: string, ...more: readonly string[]): Promise<Ended> =>
  byokit(["keys", "set", "--org", "acme", "--provider", "openai", "--no-verify", ...more], { input });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "byokit-cli-"));
  folders.push(folder);
  writeFileSync(join(folder, "keyring.json"), JSON.stringify(generateKeyring("kek-1")), { mode: 0o600 });
  const store = sqliteStore({ path: join(folder, "byok.sqlite") });
  await store.migrate();
  await store.close();
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

describe("the command line", () => {
  it("makes a keyring and a database, once", async () => {
    const env = { BYOK_KEYRING: "./first.json", BYOK_DATABASE_URL: "./first.sqlite" };
    expect(await json(["keyring", "create", "-o", "first.json"])).toEqual({ keyring: "first.json" });
    for (let times = 0; times < 2; times += 1) expect(await json(["migrate"], { env })).toEqual({ migrated: true });
    expect(await json(["keys", "list", "--org", "acme"], { env })).toMatchObject({
      byokKeys: { openai_secret_id: null },
    });
  });

  it("prints the SQL of a migration for somebody else to run, which ends where migrate would, and opens nothing", async () => {
    await using own = await ownPostgresStore();
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      await client.query('CREATE SCHEMA "keys of ours"');
      const env = { BYOK_SCHEMA: "keys of ours" };
      const printed = await byokit(["migrate", "--print"], {
        env: { ...env, BYOK_DATABASE_URL: "postgres://nowhere.invalid/db" },
      });
      expect([printed.code, printed.error]).toEqual([0, ""]);
      for (let times = 0; times < 2; times += 1) await client.query(printed.out);
      const version =
        'SELECT version, (SELECT count(*)::int FROM "keys of ours".byok_log) AS rows FROM "keys of ours".byok_schema';
      expect((await client.query(version)).rows).toEqual([{ version: schemaSteps.length, rows: 1 }]);
      expect(await json(["migrate"], { env: { ...env, BYOK_DATABASE_URL: own.url } })).toEqual({ migrated: true });
      expect((await client.query(version)).rows).toEqual([{ version: schemaSteps.length, rows: 1 }]);
    } finally {
      await client.end();
    }
  });

  it("says what of a database does not fit together, and ends with 1 then", async () => {
    const env = { BYOK_DATABASE_URL: "./sick.sqlite" };
    const path = join(folder, "sick.sqlite");
    await json(["migrate"], { env });
    await json(["keys", "set", "--org", "acme", "--provider", "xai", "--no-verify"], { input: "own-key", env });
    expect(await json(["doctor", "--seen", "1"], { env })).toEqual({ head: 1, lostChanges: 0, contradictions: [] });
    const restored = await byokit(["doctor", "--seen", "3"], { env });
    expect([restored.code, restored.out]).toEqual([1, expect.stringContaining("The last 2 changes are lost")]);
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM byok_secret");
    database.close();
    const { code, out } = await byokit(["doctor"], { env });
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^organisation +provider +stored +by the audit trail\nacme +xai +nothing +[\w-]+$/mu),
    ]);
    expect((await byokit(["doctor", "--seen", "many"], { env })).code).toBe(2);
  });

  it("backs a SQLite database up and restores it, and says what is lost", async () => {
    const env = { BYOK_DATABASE_URL: "./kept.sqlite" };
    const set = ["keys", "set", "--org", "acme", "--provider", "xai", "--no-verify"];
    await json(["migrate"], { env });
    await json(set, { input: "own-key", env });
    expect(await json(["backup", "monday.sqlite"], { env })).toEqual({ backup: "monday.sqlite" });
    expect((await byokit(["backup", "monday.sqlite"], { env })).code).toBe(2);
    await json(set, { input: "other-key", env });
    expect((await byokit(["restore", "monday.sqlite"], { env })).code).toBe(2);
    const restored = await json(["restore", "monday.sqlite", "--replace"], { env });
    expect(restored).toEqual({ head: 1, lostChanges: 1, setAside: null });
    expect((await byokit(["restore", "tuesday.sqlite"], { env })).code).toBe(2);
    expect((await byokit(["backup", "pg.sqlite"], { env: { BYOK_DATABASE_URL: "postgres://db/byok" } })).code).toBe(2);
  });

  it("prints no SQL for a SQLite file", async () => {
    const { code, error } = await byokit(["migrate", "--print"], { env: { BYOK_DATABASE_URL: "./byok.sqlite" } });
    expect([code, error]).toEqual([2, expect.stringContaining("SQLite")]);
  });

  it("tells its version", async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"));
    expect(await byokit(["--version"])).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it("stores, lists, describes and removes keys, and says who did it", async () => {
    const stored = await json(
      [
        ...["keys", "set", "--org", "acme", "--provider", "openai", "--region", "eu", "--actor", "ann", "--no-verify"],
        ...["--organization", "org-1", "--project", "proj_1"],
      ],
      { input: `${planted}\n` },
    );
    const account = { organization: "org-1", project: "proj_1" };
    expect(stored).toMatchObject({ seq: 1, verification: "skipped", published: false, account });
    const listed = await json(["keys", "list", "--org", "acme"]);
    expect(listed.byokKeys).toEqual(stored.byokKeys);
    const described = await json(["keys", "describe", "--org", "acme"]);
    expect(described.keys).toMatchObject([
      { provider: "openai", hint: "7890", region: "eu", account, createdBy: "ann", kid: "kek-1" },
    ]);
    const removed = await json(["keys", "remove", "--org", "acme", "--provider", "openai"]);
    expect(removed).toMatchObject({ seq: 2, byokKeys: { openai_secret_id: null } });
    const table = await byokit(["keys", "list", "--org", "acme"]);
    expect(table.out).toMatch(/^reference {13}secret\n(?:.*\n)*openai_secret_id {6}-$/mu);
  });

  it("refuses an account that is none, or that a provider does not take, as used wrongly", async () => {
    expect(await set(planted, "--organization", "")).toMatchObject({
      code: 2,
      error: expect.stringContaining("account"),
    });
    const other = await byokit(["keys", "set", "--org", "acme", "--provider", "xai", "--project", "p"], {
      input: planted,
    });
    expect(other).toMatchObject({ code: 2, error: expect.stringContaining("account_unsupported") });
  });

  it("shows a key nowhere: not in what it prints, nor in the file", async () => {
    const runs = [
      await set(planted),
      await byokit(["keys", "describe", "--org", "acme"]),
      await byokit(["keys", "list", "--org", "acme", "--json"]),
      await set(`xai-${planted}`),
      await set(planted, "--region", planted),
      await byokit(["keys", "set", "--org", "acme", "--provider", planted], { input: planted }),
    ];
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 1, 2, 2]);
    expect(JSON.stringify(runs)).not.toContain("AbCdEf");
    for (const file of ["byok.sqlite", "byok.sqlite-wal"]) {
      const path = join(folder, file);
      if (statSync(path, { throwIfNoEntry: false })) expect(readFileSync(path)).not.toContain("AbCdEf");
    }
  });

  it("takes no key in its arguments", async () => {
    const { code, error } = await byokit(["keys", "set", "--org", "acme", "--provider", "openai", "--key", planted]);
    expect([code, error]).toEqual([2, expect.stringContaining("no such option")]);
    expect((await byokit(["keys", "set", "--org", "acme", "--provider", "openai", planted])).code).toBe(2);
  });

  it("refuses an empty key, and one that is endless", async () => {
    expect(await set("")).toMatchObject({ code: 1, error: expect.stringContaining("key_malformed") });
    const endless = start(["keys", "set", "--org", "acme", "--provider", "openai"]);
    endless.stdin.on("error", () => {});
    endless.stdin.write("x".repeat(10_000));
    expect(await once(endless, "exit")).toEqual([1, null]);
  });

  it("asks the provider, at the hosts that the operator declares", async () => {
    await using doubles = await startProviderDoubles({ keys: { openai: [planted] } });
    const env = { BYOK_ENDPOINTS: JSON.stringify(doubles.endpoints) };
    const arguments_ = ["--org", "acme", "--provider", "openai"];
    expect(await json(["keys", "set", ...arguments_], { input: planted, env })).toMatchObject({
      verification: "passed",
    });
    expect(await json(["keys", "verify", ...arguments_], { env })).toMatchObject({
      verification: "passed",
      status: "ok",
    });
    doubles.revoke("openai", planted);
    const { code, out } = await byokit(["keys", "verify", ...arguments_], { env });
    expect([code, out]).toEqual([1, expect.stringContaining("openai    invalid  rejected  wrong_key")]);
    expect((await byokit(["keys", "set", ...arguments_], { input: planted, env })).error).toContain("key_rejected");
    doubles.behave("openai", { status: 503 });
    expect((await byokit(["keys", "verify", ...arguments_], { env })).code).toBe(75);
  });

  it("shows a keyring without its keys", async () => {
    const shown = await json(["keyring", "show"]);
    expect(shown).toEqual({
      keys: [{ kid: "kek-1", primary: true }],
      cache: [{ kid: "cache-kek-1", primary: true }],
    });
    const { k } = JSON.parse(readFileSync(join(folder, "keyring.json"), "utf8")).keys[0];
    const inline = readFileSync(join(folder, "keyring.json"), "utf8");
    const { out } = await byokit(["keyring", "show"], { env: { BYOK_KEYRING: inline } });
    expect(out).not.toContain(k);
  });

  it("works on a Postgres, and tells the workers through Redis", async () => {
    await using own = await ownPostgresStore();
    const redis = failFastRedis(inject("redisUrl"));
    await waitFor(() => expect(redis.status).toBe("ready"));
    const hints: ChangeNotice[] = [];
    const subscription = redisCache({ redis }).subscribe((hint) => hints.push(hint));
    await waitFor(async () => expect(await redis.pubsub("NUMSUB", "byok:changes")).not.toContain(0));
    const env = { BYOK_DATABASE_URL: own.url, BYOK_SCHEMA: own.schema, BYOK_REDIS_URL: inject("redisUrl") };
    const orgId = `acme-${folder}`;
    const stored = await json(["keys", "set", "--org", orgId, "--provider", "xai", "--no-verify"], {
      input: "own-key",
      env,
    });
    expect(stored).toMatchObject({ seq: 1, published: true });
    await waitFor(() => expect(hints).toContainEqual({ orgId, seq: 1 }));
    expect(await own.store.describe(orgId)).toMatchObject([{ provider: "xai" }]);
    subscription.close();
    redis.disconnect();
  });

  it("stores without Redis what it stores with it", async () => {
    const env = { BYOK_REDIS_URL: "redis://127.0.0.1:1" };
    const arguments_ = ["keys", "set", "--org", "acme", "--provider", "xai", "--no-verify"];
    expect(await json(arguments_, { input: "own-key", env })).toMatchObject({ seq: 1, published: false });
  });
});

describe("a command that cannot be done", () => {
  it.each([
    [["keys", "list"], {}, 2, "--org"],
    [["keys", "list", "--org", ""], {}, 2, "org_invalid"],
    [["nothing"], {}, 2, "no such command"],
    [["keys", "list", "--org", "acme"], { BYOK_KEYRING: "" }, 2, "byokit keyring create"],
    [["keys", "list", "--org", "acme"], { BYOK_KEYRING: "./nowhere.json" }, 2, "ENOENT"],
    [["keys", "list", "--org", "acme"], { BYOK_KEYRING: "{}" }, 2, "BYOK_KEYRING: The keyring is not valid"],
    [["keys", "list", "--org", "acme"], { BYOK_ENDPOINTS: "{" }, 2, "no JSON object"],
    [["keys", "list", "--org", "acme"], { BYOK_ENDPOINTS: "[]" }, 2, "no JSON object"],
    [["keys", "list", "--org", "acme"], { BYOK_ENDPOINTS: '{"openai":null}' }, 2, "BYOK_ENDPOINTS: endpoints.openai"],
    [["keys", "list", "--org", "acme"], { BYOK_KEYRING: "." }, 2, "EISDIR"],
    [["keys", "list", "--org", "acme"], { BYOK_DATABASE_URL: "mysql://x/y" }, 2, "neither postgres://"],
    [
      ["keys", "list", "--org", "acme"],
      { BYOK_DATABASE_URL: "postgres://u:planted-password@127.0.0.1:no/db" },
      2,
      "BYOK_DATABASE_URL is malformed",
    ],
    [["keys", "list", "--org", "acme"], { BYOK_DATABASE_URL: "./nowhere.sqlite" }, 2, "byokit migrate"],
    [
      ["keys", "list", "--org", "acme"],
      { BYOK_DATABASE_URL: "postgres://x:planted-password@127.0.0.1:1/x" },
      75,
      "store_unavailable",
    ],
    [["tokens", "add", "--tokens", "tokens.json", "--org", ""], {}, 2, "--org"],
    [["serve", "--tokens", "./nowhere.json"], {}, 2, "ENOENT"],
    [["serve", "--tokens", "./tokens.json", "--port", "70000"], {}, 2, "port"],
  ])("%j with %j ends with %s and says what to do", async (arguments_, env, code, said) => {
    const ended = await byokit(arguments_, { env });
    expect(ended).toMatchObject({ code, error: expect.stringContaining(said) });
    expect(ended.error).not.toMatch(/planted-password|\n\s+at /u);
  });

  it("ends even when it has opened a Redis", async () => {
    const env = { BYOK_REDIS_URL: inject("redisUrl") };
    expect(await byokit(["keys", "list", "--org", ""], { env })).toMatchObject({ code: 2 });
  });

  it.each([
    ["keys", "set", "--org", "acme", "--provider", "openai", planted],
    ["keys", "set", "--org", "acme", "--provider", "openai", `--key=${planted}`],
    ["keys", "set", "--org", "acme", "--provider", "openai", `--api-key=${planted}`],
    ["keys", "set", "--org", "acme", "--provider", planted],
    ["keys", planted],
    [planted],
    ["tokens", "add", "--tokens", "t.json", "--org", "acme", planted],
    ["doctor", "--seen", planted],
    ["migrate", planted, planted],
  ])("%s %s … never repeats a key that it was given as an argument", async (...arguments_) => {
    const { code, out, said } = await runHere(arguments_);
    expect([code, out.includes(planted) || said.includes(planted)]).toEqual([2, false]);
    expect(said).not.toBe("");
  });

  it("ends although a driver keeps a socket that it has given up", async () => {
    const message = (code: number, text: string): Buffer => {
      const body = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, code]), Buffer.from(text)]);
      body.writeInt32BE(body.length);
      return Buffer.concat([Buffer.from("R"), body]);
    };
    // A Postgres that asks for a password, and waits for it.
    const server = createServer((socket) => {
      socket.once("data", () => {
        socket.write(message(10, "SCRAM-SHA-256\0\0"));
        socket.once("data", () => socket.write(message(11, "r=nonce,s=c2FsdA==,i=4096")));
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const { code, error } = await byokit(["doctor"], {
      env: { BYOK_DATABASE_URL: `postgres://u@127.0.0.1:${port}/db` },
    });
    expect([code, error]).toEqual([1, expect.stringMatching(/^store_unavailable .* asks for a password.*\n$/u)]);
    server.close();
  });

  it("says which option is missing", async () => {
    const { code, error } = await byokit(["keys", "set", "--org", "acme"]);
    expect([code, error]).toEqual([
      2,
      expect.stringContaining("Required option '--provider <id>' not specified. See --help."),
    ]);
  });
});

describe("byokit tokens add", () => {
  it("loses no token when many are added at once, and follows a link", async () => {
    writeFileSync(join(folder, "real.json"), '{ "tokens": [] }');
    writeFileSync(join(folder, "real.json.lock"), "");
    utimesSync(join(folder, "real.json.lock"), 0, 0);
    symlinkSync(join(folder, "real.json"), join(folder, "tokens.json"));
    const adding = Array.from({ length: 6 }, () =>
      byokit(["tokens", "add", "--tokens", "tokens.json", "--org", "acme"]),
    );
    const tokens = (await Promise.all(adding)).map(({ code, out }) => [code, out.trim()]);
    expect(new Set(tokens.map(([, token]) => token)).size).toBe(6);
    const file = parseTokens(readFileSync(join(folder, "real.json"), "utf8"));
    const kept = file.map(({ sha256 }) => sha256);
    for (const [code, token] of tokens) {
      expect(code).toBe(0);
      expect(kept).toContain(createHash("sha256").update(String(token)).digest("hex"));
    }
    expect(lstatSync(join(folder, "tokens.json")).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).filter((name) => /lock|real\.json\./u.test(name))).toEqual(["real.json.lock"]);
  });
});

describe("byokit serve", () => {
  it("serves who has a token, and ends when it is told to", async () => {
    const token = (
      await byokit(["tokens", "add", "--tokens", "tokens.json", "--org", "acme", "--actor", "ann"])
    ).out.trim();
    const reader = (await json(["tokens", "add", "--tokens", "tokens.json", "--org", "acme", "--read-only"])).token;
    const file = readFileSync(join(folder, "tokens.json"), "utf8");
    expect(file).not.toMatch(new RegExp(`${token}|${reader}`, "u"));
    expect(statSync(join(folder, "tokens.json")).mode & 0o777).toBe(0o600);
    const server = start(["serve", "--tokens", "tokens.json", "--port", "0", "--drain-ms", "0"]);
    let log = "";
    server.stdout.on("data", (chunk) => {
      log += String(chunk);
    });
    const url = await waitFor(() => {
      const found = /"url":"(?<url>[^"]+)"/u.exec(log)?.groups?.["url"];
      if (found === undefined) throw new Error(`It does not listen yet: ${log}`);
      return found;
    });
    const ask = (as: string, init: RequestInit = {}) =>
      fetch(`${url}/byok`, { ...init, headers: { authorization: `Bearer ${as}`, "content-type": "application/json" } });
    const remove = { method: "DELETE", body: '{"provider":"openai"}' };
    expect([(await ask(token)).status, (await ask(reader)).status, (await ask("wrong")).status]).toEqual([
      200, 200, 401,
    ]);
    expect([(await ask(token, remove)).status, (await ask(reader, remove)).status]).toEqual([200, 403]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    server.kill("SIGTERM");
    expect(await once(server, "exit")).toEqual([0, null]);
    const lines = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.map(({ msg }) => msg)).toEqual(["listening", ...Array.from({ length: 6 }, () => "request")]);
    expect(log).not.toContain(token);
  });
});
