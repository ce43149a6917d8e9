/**
 * Runs a Postgres for as long as the process that forked this one lives, and starts and shuts it down on its word. A
 * process of its own, because it outlives a parent that was killed just long enough to end the server.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { findPackagedPrograms, findPrograms, findServerUser } from "./postgres-programs.ts";

/** The last lines that a program wrote: what an answer says of a failure. */
const keptLines = 12;
/** The longest that a server takes to end before it is killed, in milliseconds. */
const endMs = 5_000;

const parent = mkdtempSync(join(tmpdir(), "byokit-postgres-"));
// Readable for the user that the server runs as when this one is root.
chmodSync(parent, 0o755);
/** A folder that was made elsewhere, or a new one. */
const given = process.argv[2];
const dataFolder = given ?? join(parent, "data");
const port = await freePort();
let lines: string[] = [];
let server: ChildProcess | undefined;

const run = (program: string, arguments_: readonly string[]): ChildProcess => {
  const user = findServerUser();
  const path = join(findPrograms(user, parent, findPackagedPrograms()), program);
  const env = { ...process.env, LC_ALL: "C" };
  const child = spawn(path, arguments_, { env, stdio: ["ignore", "pipe", "pipe"], ...user });
  lines = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      lines = [...lines, ...text.split("\n").filter((line) => line !== "")].slice(-keptLines);
    });
  }
  return child;
};

const initialise = async (): Promise<void> => {
  const passwordFile = join(parent, "password");
  writeFileSync(passwordFile, "byokit\n");
  mkdirSync(dataFolder, { mode: 0o700 });
  const user = findServerUser();
  if (user !== undefined) chownSync(dataFolder, user.uid, user.gid);
  const flags = ["--username=byokit", `--pwfile=${passwordFile}`, "--auth=password", "--encoding=UTF8", "--locale=C"];
  const [code] = await once(run("initdb", [`--pgdata=${dataFolder}`, "--no-sync", ...flags]), "close");
  if (code !== 0) throw new Error("initdb failed.");
};

/** Ends when the server takes connections; a standby takes some that only read. */
const start = async (): Promise<void> => {
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories="];
  const flags = settings.flatMap((setting) => ["-c", setting]);
  const child = run("postgres", ["-D", dataFolder, "-p", String(port), ...flags]);
  server = child;
  const { promise: answers, resolve, reject } = Promise.withResolvers<void>();
  child.stderr?.on("data", (text: string) => {
    if (/ready to accept (read-only )?connections/u.test(text)) resolve();
  });
  child.once("close", () => reject(new Error("The server ended.")));
  child.once("error", reject);
  await answers;
};

const end = async (signal: NodeJS.Signals): Promise<void> => {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  // A server that stands still takes no other signal.
  const timer = setTimeout(() => server?.kill("SIGKILL"), endMs);
  await exited;
  clearTimeout(timer);
};

const commands = { start, shutDown: () => end("SIGINT") };
const obey = async (command: keyof typeof commands): Promise<void> => {
  try {
    await commands[command]();
    process.send?.({ url: `postgres://byokit:byokit@127.0.0.1:${port}/postgres`, port, dataFolder });
  } catch (error) {
    process.send?.({ failure: [String(error), ...lines].join("\n") });
  }
};

process.on("message", obey);
process.on("disconnect", async () => {
  await end("SIGQUIT");
  for (const folder of [parent, dataFolder]) rmSync(folder, { recursive: true, force: true });
  process.exit();
});
// The terminal sends them to the whole group; the parent decides.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

try {
  if (given === undefined) await initialise();
  await obey("start");
} catch (error) {
  process.send?.({ failure: [String(error), ...lines].join("\n") });
}
