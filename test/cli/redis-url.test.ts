import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { openCache } from "../../src/cli/open-cache.ts";
import { generateKeyring } from "../../src/index.ts";
import { freePort } from "../servers/free-port.ts";
import { useBuiltPackage } from "../support/built-package.ts";
import { waitFor } from "../support/wait-for.ts";

const built = useBuiltPackage();
const folder = mkdtempSync(join(tmpdir(), "byokit-redis-url-"));

beforeAll(() => {
  writeFileSync(join(folder, "keyring.json"), JSON.stringify(generateKeyring()), { mode: 0o600 });
  writeFileSync(join(folder, "tokens.json"), '{ "tokens": [] }', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (arguments_: readonly string[], url: string) =>
  spawn(process.execPath, [join(built(), "cli/main.js"), ...arguments_], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      BYOK_KEYRING: "./keyring.json",
      BYOK_DATABASE_URL: "./byok.sqlite",
      BYOK_REDIS_URL: url,
    },
  });

describe("BYOK_REDIS_URL", () => {
  it.each([
    '"redis://u:planted-password@127.0.0.1:6379"',
    "'redis://u:planted-password@127.0.0.1:6379'",
    '"redis://u:planted-password@127.0.0.1:6379',
    'redis://u:planted-password@127.0.0.1:6379"',
    'redis://u:planted-password@127.0.0.1:6379/0"',
    'redis://u:planted-password@localhost"',
    "redis://u:planted-password@127.0.0.1:no",
    " redis://127.0.0.1:6379",
    "redis://127.0.0.1:6379\n",
    "redis://",
    "redis://u:planted-password%@127.0.0.1:6379",
    "redis://u:planted%zz-password@127.0.0.1:6379",
    "redis://u:planted-password@127.0.0.1:0",
    "redis://u:planted-password/1@127.0.0.1:6379",
    "redis://u:1/planted-password@127.0.0.1:6379",
    "redis://u:1?planted-password@127.0.0.1:6379",
    "redis://u:1#planted-password@127.0.0.1:6379",
    "redis://127.0.0.1:6379redis://127.0.0.1:6380",
    "redis://127.0.0.1:6379/first",
    "BYOK_REDIS_URL=redis://127.0.0.1:6379",
    "$REDIS_URL",
    "redis:127.0.0.1",
    "localhost:6379",
    "6379",
    "http://127.0.0.1:6379",
    "redis-cli -u redis://127.0.0.1",
  ])("%j is refused by its name, and no password is repeated", async (url) => {
    const refusal = await openCache({ BYOK_REDIS_URL: url }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "options_invalid", message: expect.stringContaining("BYOK_REDIS_URL") });
    expect(String(refusal)).not.toContain("planted-password");
  });

  it("that is quoted ends a command as one that was used wrongly", async () => {
    const child = start(["serve", "--tokens", "tokens.json", "--port", "0"], '"redis://u:planted-password@127.0.0.1"');
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        said += String(chunk);
      });
    }
    expect(await once(child, "close")).toEqual([2, null]);
    expect(said).toMatch(/BYOK_REDIS_URL.*without quotes/u);
    expect(said).not.toContain("planted-password");
  });

  it("may be of a database by its number, have a quote in its password, and be a socket's path", async () => {
    const withQuote = inject("redisUrl").replace("//", "//u:it's@");
    for (const url of [`${inject("redisUrl")}/3`, withQuote, "/nowhere/redis.sock"])
      (await openCache({ BYOK_REDIS_URL: url }))?.close();
  });

  it("prefix names the workers' keys", async () => {
    const env = { BYOK_REDIS_URL: inject("redisUrl") };
    const [mine, others] = [await openCache({ ...env, BYOK_REDIS_PREFIX: `${folder}:` }), await openCache(env)];
    await mine?.cache.set("org", Buffer.from("entry"));
    expect(await others?.cache.get("org")).toBeUndefined();
    expect(await mine?.cache.get("org")).toBeDefined();
    for (const opened of [mine, others]) opened?.close();
  });

  it("of a Redis that is not there is said once in the log of serve, at the start", async () => {
    const child = start(["serve", "--tokens", "tokens.json", "--port", "0"], `redis://127.0.0.1:${await freePort()}`);
    let log = "";
    child.stdout.on("data", (chunk) => {
      log += String(chunk);
    });
    await waitFor(() => expect(log).toContain('"listening"'));
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    const lines = log.trim().split("\n");
    const said = lines.map((line) => JSON.parse(line) as { msg: string }).filter(({ msg }) => msg === "redis");
    expect(said).toMatchObject([{ level: 50, operation: "connect", reason: "unreachable" }]);
  });
});
