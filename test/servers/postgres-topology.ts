import { execFileSync } from "node:child_process";
import { appendFileSync, chownSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { type Forwarder, forwarder } from "./forwarder.ts";
import { type OwnPostgresServer, ownPostgresServer } from "./postgres-server.ts";

/** A primary, and perhaps a standby that can take its place. */
export interface PostgresTopology {
  /** Leads to the primary, whichever that is. */
  readonly url: string;
  /** The primary of the beginning. */
  readonly primary: OwnPostgresServer;
  readonly standby: AsynchronousStandby | undefined;
  stop(): Promise<void>;
}

export interface AsynchronousStandby {
  readonly server: OwnPostgresServer;
  /** The standby receives nothing from now on. */
  cutOff(): void;
  /** Makes it a primary; nobody is led to it yet. */
  promote(): Promise<void>;
  /** What leads to the primary leads nowhere, or to this standby. */
  lead(to: "nowhere" | "here"): void;
}

export async function singlePostgres(): Promise<PostgresTopology> {
  const primary = await ownPostgresServer();
  return { url: primary.url, primary, standby: undefined, stop: () => primary.stop() };
}

/** A primary that streams to an asynchronous standby. */
export async function postgresWithStandby(): Promise<PostgresTopology> {
  const primary = await ownPostgresServer();
  const front = await forwarder(primary.port);
  const link = await forwarder(primary.port);
  const server = await standbyOf(primary, link);
  return {
    url: primary.url.replace(`:${primary.port}/`, `:${front.port}/`),
    primary,
    standby: {
      server,
      cutOff: () => link.to(null),
      promote: () => promoted(server),
      lead: (to) => front.to(to === "here" ? server.port : null),
    },
    async stop() {
      for (const { close } of [front, link]) await close();
      for (const { stop } of [server, primary]) await stop();
    },
  };
}

/**
 * A copy of the running primary. It goes on to receive what the primary writes through `link`; without one it stays as
 * an asynchronous standby is that has received nothing since.
 */
export async function standbyOf(
  { url, dataFolder }: Pick<OwnPostgresServer, "url" | "dataFolder">,
  link?: Forwarder,
): Promise<OwnPostgresServer> {
  const copy = join(dirname(dataFolder), "standby");
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  await session.query("SELECT pg_backup_start('standby', true)");
  execFileSync("cp", ["-a", dataFolder, copy]);
  const { rows } = await session.query("SELECT labelfile FROM pg_backup_stop(false)");
  await session.end();
  execFileSync("cp", ["-a", `${join(dataFolder, "pg_wal")}/.`, join(copy, "pg_wal")]);
  rmSync(join(copy, "postmaster.pid"));
  const { uid, gid } = statSync(dataFolder);
  const { labelfile } = rows[0] as { labelfile: string };
  for (const [name, text] of [["backup_label", labelfile] as const, ["standby.signal", ""] as const]) {
    writeFileSync(join(copy, name), text);
    chownSync(join(copy, name), uid, gid);
  }
  if (link !== undefined) {
    const primary = `host=127.0.0.1 port=${link.port} user=byokit password=byokit`;
    appendFileSync(join(copy, "postgresql.auto.conf"), `primary_conninfo = '${primary}'\n`);
  }
  return await ownPostgresServer(copy);
}

/** Ends when the standby takes writes. */
export async function promoted({ url }: Pick<OwnPostgresServer, "url">): Promise<void> {
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  await session.query("SELECT pg_promote(wait => true)");
  await session.end();
}
