import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** Everything that a Postgres has a part in, in each way to reach one that `npm test` does not take. */
const files = [
  "test/store/postgres",
  "test/manager",
  "test/http/concurrency.test.ts",
  "test/http/documented-api.test.ts",
  "test/http/outage.test.ts",
  "test/cli",
  "test/resolver/long-log.test.ts",
];
const root = resolve(import.meta.dirname, "..");

for (const way of ["roles", "session", "transaction"]) {
  process.stdout.write(`\nPostgres, reached in the way "${way}"\n`);
  const vitest = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/vitest.config.ts",
    "--root",
    ".",
    ...files,
  ];
  const env = { ...process.env, BYOKIT_POSTGRES_WAY: way };
  const { status } = spawnSync(process.execPath, vitest, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
