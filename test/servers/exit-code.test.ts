import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect, inject, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

it.each([
  ["a test that fails", "always-fails.ts"],
  ["a test that prints a planted key", "prints-a-key.ts"],
])("%s fails the run, with the servers that the suite starts", async (_name, file) => {
  const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
  const arguments_ = [vitest, "run", "--root", root, "--config", "test/servers/failing-runs/vitest.config.ts"];
  const servers =
    file === "always-fails.ts" ? {} : { POSTGRES_URL: inject("postgresUrl"), REDIS_URL: inject("redisUrl") };
  const env = { ...process.env, ...servers, VITEST: "", BYOKIT_FAILING: file };
  const run = spawn(process.execPath, arguments_, { cwd: root, stdio: "ignore", env });
  const [code] = await once(run, "exit");
  expect(code).toBe(1);
});
