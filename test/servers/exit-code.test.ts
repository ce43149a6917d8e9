import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

it("a failing test fails the run, with the servers that the suite starts", async () => {
  const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
  const arguments_ = [vitest, "run", "--root", root, "--config", "test/servers/failing/vitest.config.ts"];
  const run = spawn(process.execPath, arguments_, { cwd: root, stdio: "ignore", env: { ...process.env, VITEST: "" } });
  const [code] = await once(run, "exit");
  expect(code).toBe(1);
});
