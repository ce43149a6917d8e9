import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateKeyring } from "../../src/index.ts";
import { freePort } from "../servers/free-port.ts";
import { useBuiltPackage } from "../support/built-package.ts";
import { waitFor } from "../support/wait-for.ts";

const built = useBuiltPackage();
let folder: string;
let started: ChildProcess[];

beforeEach(() => {
  started = [];
  folder = mkdtempSync(join(tmpdir(), "byokit-serve-"));
  writeFileSync(join(folder, "keyring.json"), JSON.stringify(generateKeyring("kek-1")), { mode: 0o600 });
  writeFileSync(join(folder, "tokens.json"), '{"tokens":[]}', { mode: 0o600 });
});
afterEach(async () => {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  rmSync(folder, { recursive: true });
});

const start = (...more: readonly string[]) => {
  const env = {
    PATH: process.env["PATH"],
    BYOK_KEYRING: "./keyring.json",
    BYOK_DATABASE_URL: "./byok.sqlite",
  };
  const child = spawn(process.execPath, [join(built(), "cli/main.js"), "serve", "--tokens", "tokens.json", ...more], {
    cwd: folder,
    env,
  });
  started.push(child);
  return child;
};
/** A server that is up. Its output is read only by who asks for it. */
const serving = async (...more: readonly string[]) => {
  const port = await freePort();
  const child = start("--port", String(port), ...more);
  const url = `http://127.0.0.1:${port}`;
  const statusOf = async (path: string): Promise<number> => {
    const response = await fetch(`${url}${path}`).catch(() => undefined);
    await response?.text();
    return response?.status ?? 0;
  };
  await waitFor(async () => expect(await statusOf("/healthz")).toBe(200));
  return { child, url, statusOf };
};

describe("byokit serve", () => {
  it("answers, and ends when it is told to, though nobody reads its log", async () => {
    const { child, statusOf } = await serving("--drain-ms", "0");
    for (let rounds = 0; rounds < 40; rounds += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => statusOf("/healthz")));
      expect(new Set(answers)).toEqual(new Set([200]));
    }
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });

  it("goes on when its log can go nowhere any more, and reads its tokens again on SIGHUP", async () => {
    const { child, statusOf } = await serving("--drain-ms", "0");
    child.stdout.destroy();
    for (let times = 0; times < 20; times += 1) expect(await statusOf("/healthz")).toBe(200);
    child.kill("SIGHUP");
    expect(await statusOf("/healthz")).toBe(200);
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });

  it("is not ready after SIGTERM and answers on, and ends at once at a second signal", async () => {
    const { child, statusOf } = await serving("--drain-ms", "600000");
    child.stdout.resume();
    child.kill("SIGTERM");
    await waitFor(async () => expect(await statusOf("/readyz")).toBe(503));
    expect(await statusOf("/byok")).toBe(401);
    const exit = once(child, "exit");
    child.kill("SIGINT");
    expect(await exit).toEqual([1, null]);
  });

  it.each([
    [
      "a port that is taken",
      [],
      /127\.0\.0\.1:\d+: another program listens there \(EADDRINUSE\)\. .*choose another port/u,
    ],
    ["an address of another machine", ["--host", "192.0.2.1"], /192\.0\.2\.1:\d+: .*\(EADDRNOTAVAIL\)\. Choose one/u],
  ])("says %s in one line, and ends with 2", async (_name, more, said) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { readonly port: number };
    const child = start("--port", String(port), ...more);
    let error = "";
    child.stderr.on("data", (chunk) => {
      error += String(chunk);
    });
    child.stdout.resume();
    expect(await once(child, "close")).toEqual([2, null]);
    expect(error).toMatch(said);
    expect(error.trim().split("\n")).toHaveLength(1);
    taken.close();
  });
});
