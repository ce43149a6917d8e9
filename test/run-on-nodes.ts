import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** The oldest Node that byokit runs on, and the newest; `npm test` takes the one between. */
const versions = ["22.13.0", "26"] as const;
const root = resolve(import.meta.dirname, "..");

for (const version of versions) {
  process.stdout.write(`\nThe providers' SDKs on Node ${version}\n`);
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/providers/vitest.config.ts"];
  const command = ["exec", "--yes", `--package=node@${version}`, "--", "node", ...vitest];
  // Node 22.13 runs TypeScript only where it is asked to.
  const env = version.startsWith("22.") ? { ...process.env, NODE_OPTIONS: "--experimental-strip-types" } : process.env;
  const { status } = spawnSync("npm", command, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
