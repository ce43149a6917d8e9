/** Installs each comparison's packages and runs it; `-- --record` writes what they measure into `docs/comparison.md`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const comparisons = ["caches", "portkey", "plain-proxy", "hand-written"];
const minuteMs = 60_000;

const failed = comparisons.filter((name) => {
  const folder = join(import.meta.dirname, name);
  const install = ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  return !run("npm", install, 5) || !run(process.execPath, [join(folder, "main.ts"), ...process.argv.slice(2)], 10);
});
for (const name of failed) console.error(`bench/comparison/${name} did not end well.`);
process.exitCode = failed.length === 0 ? 0 : 1;

function run(command: string, arguments_: readonly string[], minutes: number): boolean {
  return spawnSync(command, arguments_, { stdio: "inherit", timeout: minutes * minuteMs }).status === 0;
}
