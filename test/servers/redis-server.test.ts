import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { waitFor } from "../support/wait-for.ts";

const code = `
  import { ownRedisServer } from "./test/servers/redis-server.ts";
  const { folder, process: { pid } } = await ownRedisServer();
  process.send({ folder, pid });
`;

interface Started {
  readonly folder: string;
  readonly pid: number;
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it("hears nothing of its terminal, ends with the process that started it, and leaves no file", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: resolve(import.meta.dirname, "../.."),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ folder, pid }] = (await once(child, "message")) as [Started];
  // A terminal's signals are for the groups of its session.
  expect(Number(execFileSync("ps", ["-o", "sid=", "-p", String(pid)], { encoding: "utf8" }))).toBe(pid);
  child.kill("SIGKILL");
  await waitFor(() => expect(existsSync(folder)).toBe(false));
  await waitFor(() => expect(isRunning(pid)).toBe(false));
});
