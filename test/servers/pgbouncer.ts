import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../support/wait-for.ts";
import { freePort } from "./free-port.ts";
import { findServerUser } from "./postgres-programs.ts";

export interface PgBouncer {
  /** Leads to the same database as `url` did. */
  readonly url: string;
  stop(): Promise<void>;
}

const program = ["/usr/sbin/pgbouncer", "pgbouncer"];
const findProgram = (): string | undefined => program.find((path) => spawnSync(path, ["--version"]).status === 0);

/**
 * A pooler in front of the server that `url` names, with two connections to each of its databases, or twenty in session
 * mode. Installed where that is possible.
 */
export async function startPgBouncer(url: string, mode: "session" | "transaction"): Promise<PgBouncer> {
  if (findProgram() === undefined && process.getuid?.() === 0) {
    spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", "pgbouncer"]);
  }
  const path = findProgram();
  if (path === undefined)
    throw new Error("The tests need PgBouncer. Install it (Debian, Ubuntu: apt-get install pgbouncer).");
  const target = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), "byokit-pgbouncer-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  writeFileSync(join(folder, "users.txt"), `"${target.username}" "${target.password}"\n`);
  const size = mode === "session" ? 20 : 2;
  const settings = [
    "[databases]",
    `* = host=${target.hostname} port=${target.port}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = plain",
    `auth_file = ${join(folder, "users.txt")}`,
    `pool_mode = ${mode}`,
    `default_pool_size = ${size}`,
    "ignore_startup_parameters = extra_float_digits,options",
  ];
  writeFileSync(join(folder, "pgbouncer.ini"), `${settings.join("\n")}\n`);
  // It runs as somebody else, whatever the umask of this process is.
  for (const name of ["users.txt", "pgbouncer.ini"]) chmodSync(join(folder, name), 0o644);
  const child: ChildProcess = spawn(path, [join(folder, "pgbouncer.ini")], { stdio: "ignore", ...findServerUser() });
  const exited = once(child, "exit");
  await waitFor(async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
  });
  target.hostname = "127.0.0.1";
  target.port = String(port);
  return {
    url: target.href,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
