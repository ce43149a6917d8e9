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

/** The server that POSTGRES_URL names, else one of its own on a free loopback port. */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env["POSTGRES_URL"];
  return given ? { url: given, dataFolder: null, stop: async () => {} } : await ownPostgresServer();
}

/** A server of its own on a free loopback port, on a new data folder or on one that was made elsewhere. */
export async function ownPostgresServer(
  dataFolder?: string,
): Promise<PostgresServer & { readonly dataFolder: string }> {
  const arguments_ = dataFolder === undefined ? [] : [dataFolder];
  const child = fork(join(import.meta.dirname, "postgres-process.ts"), arguments_, { execArgv: [], stdio: "ignore" });
  const exited = once(child, "exit");
  const started = await Promise.race([once(child, "message"), exited.then(() => undefined)]);
  const message = (started?.[0] ?? { failure: "The server's process ended." }) as Started | { failure: string };
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await exited;
  };
  if ("url" in message) return { ...message, stop };
  await stop();
  const hint = "Postgres did not start. Set POSTGRES_URL to a server of your own, or run `npm ci` again.";
  throw new Error(`${hint}\n${message.failure}`);
}

/** Signals every process of a server: stopping the first one alone would leave its connections at work. */
export function signalPostgres({ dataFolder }: { readonly dataFolder: string }, signal: "SIGSTOP" | "SIGCONT"): void {
  const main = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0] ?? "";
  const listed = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" });
  const rows = listed.split("\n").map((line) => line.trim().split(/\s+/u));
  const children = rows.filter(([, parent]) => parent === main).map(([pid]) => Number(pid));
  for (const pid of [Number(main), ...children]) process.kill(pid, signal);
}

interface Started {
  readonly url: string;
  readonly dataFolder: string;
}
