import { spawn } from "node:child_process";
import { connect } from "node:net";
import { until } from "../until.ts";

/** A program of its own that listens on a loopback port. */
export interface ProcessOnPort {
  readonly url: string;
  stop(): void;
}

/** Starts Node with these arguments; ends when the port takes connections. It ends with this process at the latest. */
export async function processOnPort(port: number, ...arguments_: readonly string[]): Promise<ProcessOnPort> {
  const child = spawn(process.execPath, arguments_, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const stop = (): void => void child.kill("SIGKILL");
  process.once("exit", stop);
  process.once("SIGTERM", () => process.exit(1));
  await until(`something listens on ${port}`, async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    return await new Promise<boolean>((resolve) => {
      const probe = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      probe.once("connect", () => probe.destroy());
    });
  });
  return { url: `http://127.0.0.1:${port}`, stop };
}
