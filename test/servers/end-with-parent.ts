import { type ChildProcess, spawn } from "node:child_process";

/**
 * Kills a child, and removes its folder, when this process ends before it in whatever way. Another process does it, which
 * is told by a pipe that closes: this one may be killed.
 */
export function endWithParent(child: ChildProcess, folder: string): void {
  if (child.pid === undefined) return;
  const script = 'read -r _; kill -9 "$0"; rm -rf "$1"';
  const watching = spawn("sh", ["-c", script, String(child.pid), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watching.unref();
  // A number is given to another process once its own has ended.
  child.once("exit", () => watching.kill("SIGKILL"));
}
