import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

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

/** The most that is kept of what the server's process wrote before it ended, in characters. */
const maxWords = 2_000;

type Started = Pick<OwnPostgresServer, "url" | "port" | "dataFolder">;

/** The server that POSTGRES_URL names, else one of its own on a free loopback port. */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env["POSTGRES_URL"];
  return given ? { url: given, dataFolder: null, stop: async () => {} } : await ownPostgresServer();
}

/** A server of its own on a free loopback port, on a new data folder or on one that was made elsewhere. */
export async function ownPostgresServer(dataFolder?: string): Promise<OwnPostgresServer> {
  const arguments_ = dataFolder === undefined ? [] : [dataFolder];
  const child = fork(join(import.meta.dirname, "postgres-process.ts"), arguments_, {
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = `${words}${text}`.slice(-maxWords);
  });
  const exited = once(child, "exit");
  const answer = async (): Promise<Started> => {
    const answered = await Promise.race([once(child, "message"), exited.then(() => undefined)]);
    const message = (answered?.[0] ?? { failure: `The server's process ended. ${words}` }) as
      | Started
      | { failure: string };
    if ("url" in message) return message;
    const hint = "Set POSTGRES_URL to a server of your own, or run `npm ci` again.";
    throw new Error(`Postgres did not start. ${hint} It said:\n${message.failure}`);
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
