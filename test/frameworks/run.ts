import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

/** `npm run test:frameworks`: installs LiveKit and the AI SDK where they are absent or of another lock file, and tests them. */
const root = resolve(import.meta.dirname, "../..");
const installed = resolve(import.meta.dirname, "node_modules/.byokit-lock");
const lock = createHash("sha256")
  .update(readFileSync(resolve(import.meta.dirname, "package-lock.json")))
  .digest("hex");

function run(command: string, ...values: string[]): void {
  const { status } = spawnSync(command, values, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  run("npm", "ci", "--prefix", "test/frameworks", "--no-audit", "--no-fund");
  writeFileSync(installed, lock);
}
run(process.execPath, "node_modules/typescript/bin/tsc", "-p", "test/frameworks");
run(process.execPath, "node_modules/vitest/vitest.mjs", "run", "--config", "test/frameworks/vitest.config.ts");
