/**
 * Runs a Postgres for as long as the process that forked this one lives, and starts and shuts it down on its word. A
 * process of its own, because that one may be killed and could not end the server then.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { findPrograms, findServerUser } from "./postgres-programs.ts";

const folder = mkdtempSync(join(tmpdir(), "byokit-postgres-"));
/** A folder that was made elsewhere, or a new one, which is named by an empty text. */
const [, , given = "", ...givenSettings] = process.argv;
const dataFolder = given === "" ? join(folder, "data") : given;
const port = await freePort();
let server: ChildProcess | undefined;

/** What to run a program of Postgres with. */
const prepare = () => {
  const user = findServerUser();
  // The server's user has to get through to its data.
  chmodSync(folder, 0o755);
  return { bin: join(findPrograms(user, folder), "bin"), options: { ...user, cwd: folder } };
};

const initialise = ({ bin, options }: ReturnType<typeof prepare>): void => {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "byokit\n");
  mkdirSync(dataFolder);
  if ("uid" in options) for (const path of [passwordFile, dataFolder]) chownSync(path, options.uid, options.gid);
  const access = ["--username=byokit", "--auth=password", `--pwfile=${passwordFile}`];
  const flags = [`--pgdata=${dataFolder}`, ...access, "--encoding=UTF8", "--locale=C", "--no-sync"];
  const made = spawnSync(join(bin, "initdb"), flags, { ...options, encoding: "utf8" });
  if (made.status !== 0) throw made.error ?? new Error(made.stderr);
};

const start = async ({ bin, options }: ReturnType<typeof prepare>): Promise<void> => {
  const settings = ["fsync=off", "max_connections=300", "listen_addresses=127.0.0.1", "unix_socket_directories="];
  const all = [...settings, ...givenSettings].flatMap((setting) => ["-c", setting]);
  const flags = ["-D", dataFolder, "-p", String(port), ...all];
  const started = spawn(join(bin, "postgres"), flags, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  server = started;
  const ready = Promise.withResolvers<void>();
  let log = "";
  started.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = `${log}${text}`.slice(-10_000);
    // A standby accepts read-only ones.
    if (/ready to accept (?:read-only )?connections/u.test(log)) ready.resolve();
  });
  started.once("error", ready.reject);
  started.once("close", () => ready.reject(new Error(log)));
  await ready.promise;
};

const end = async (...signals: readonly NodeJS.Signals[]): Promise<void> => {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  for (const signal of signals) server.kill(signal);
  await exited;
};

const answer = async (work: () => void | Promise<void>): Promise<void> => {
  let message: object = { url: `postgres://byokit:byokit@127.0.0.1:${port}/postgres`, port, dataFolder };
  try {
    await work();
  } catch (error) {
    message = { failure: error instanceof Error ? error.message : String(error) };
  }
  if (process.connected) process.send?.(message);
};

const leave = async (): Promise<void> => {
  // The last one is for a server that a test has stopped.
  await end("SIGQUIT", "SIGCONT");
  // Its processes may write to their end, when it was killed.
  const removing = { recursive: true, force: true, maxRetries: 10 } as const;
  for (const path of [folder, dataFolder]) rmSync(path, removing);
  process.exit();
};
process.on("disconnect", leave);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, leave);

let programs: ReturnType<typeof prepare>;
await answer(async () => {
  programs = prepare();
  if (given === "") initialise(programs);
  await start(programs);
});
process.on("message", (command) => answer(() => (command === "start" ? start(programs) : end("SIGINT"))));
