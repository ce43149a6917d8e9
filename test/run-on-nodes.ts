import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";

/** The oldest Node that byokit runs on, and the newest; `npm test` takes the one between. */
const versions = ["22.13.0", "26"] as const;
const root = resolve(import.meta.dirname, "..");

/** What is shipped is another text than what the tests import: each of its files parses, and the command line runs. */
const imports = readdirSync(resolve(root, "dist"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".js") && file !== "cli/main.js")
  .map((file) => `await import(${JSON.stringify(resolve(root, "dist", file))})`);
const shipped = [
  ["--input-type=module", "-e", imports.join(";")],
  ["dist/cli/main.js", "--version"],
] as const;
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/providers/vitest.config.ts"];

for (const version of versions) {
  process.stdout.write(`\nWhat is shipped, and the providers' SDKs, on Node ${version}\n`);
  // Node 22.13 runs TypeScript only where it is asked to.
  const env = version.startsWith("22.") ? { ...process.env, NODE_OPTIONS: "--experimental-strip-types" } : process.env;
  for (const given of [...shipped, vitest]) {
    const command = ["exec", "--yes", `--package=node@${version}`, "--", "node", ...given];
    const { status } = spawnSync("npm", command, { cwd: root, env, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
}
