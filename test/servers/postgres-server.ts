import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";

export interface PostgresServer {
  readonly url: string;
  /** Where it keeps its files; `null` for a server that was not started here. */
  readonly dataFolder: string | null;
  stop(): Promise<void>;
}

/** A server that a test may do anything to. */
export interface OwnPostgresServer extends PostgresServer {
  readonly dataFolder: string;
  readonly port: number;
  /** Sends a signal to each of its processes, all of which have to stop for it to stand still. */
  signal(name: NodeJS.Signals): void;
  /** Ends it as an operator does. */
  shutDown(): Promise<void>;
  /** Starts it again on the same port, with the data that it had. */
  start(): Promise<void>;
}

type Started = Pick<OwnPostgresServer, "url" | "port" | "dataFolder">;

/** The server that POSTGRES_URL names, else one of its own on a free loopback port. */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env["POSTGRES_URL"];
  return given ? { url: given, dataFolder: null, stop: async () => {} } : await ownPostgresServer();
}

/**
 * A server of its own on a free loopback port, on a new data folder or on one that was made elsewhere. `settings`, as
 * `"fsync=on"`, stand over those that spare tests their time.
 */
export async function ownPostgresServer(
  dataFolder?: string,
  settings: readonly string[] = [],
): Promise<OwnPostgresServer> {
  const child = fork(join(import.meta.dirname, "postgres-process.ts"), [dataFolder ?? "", ...settings], {
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // What the terminal sends is for the tests, which end the server.
    detached: true,
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  // Not its "close", which never comes after a disconnect().
  const exited = Promise.all([once(child, "exit"), once(child.stderr as Readable, "close")]);
  const answer = async (): Promise<Started> => {
    const answered = await Promise.race([once(child, "message"), exited.then(() => undefined)]);
    const message = (answered?.[0] ?? { failure: errors }) as Started | { failure: string };
    if ("url" in message) return message;
    const lastLines = message.failure.trim().split("\n").slice(-20).join("\n").slice(-4_000);
    throw new Error(
      `Postgres did not start. POSTGRES_URL may name a server of your own. Its last lines:\n${lastLines}`,
    );
  };
  const ask = async (command: "start" | "shutDown"): Promise<void> => {
    child.send(command);
    await answer();
  };
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await exited;
  };
  try {
    const started = await answer();
    return {
      ...started,
      stop,
      signal(name) {
        for (const pid of processesIn(started.dataFolder)) sendSignal(pid, name);
      },
      shutDown: () => ask("shutDown"),
      start: () => ask("start"),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function processesIn(dataFolder: string): number[] {
  const main = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0] ?? "";
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", main], { encoding: "utf8" });
  return [main, ...children.trim().split("\n")].filter((pid) => pid !== "").map(Number);
}

function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
