/**
 * Bundles `src` into `dist`, or the folder that is named: a file for each entry that package.json names, and one for what
 * several need. A hundred and fifty small files cost an importer several times as much as their text.
 */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { build } from "rolldown";

const root = import.meta.dirname;
const { exports, bin, engines, dependencies, peerDependencies } = JSON.parse(
  readFileSync(`${root}/package.json`, "utf8"),
);
const packages = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];
const files = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)]
  .map((file) => file?.replace(/^(?:\.\/)?dist\/(.+)\.js$/u, "$1"))
  .filter((name) => name !== undefined);

await build({
  input: Object.fromEntries(files.map((name) => [name, `src/${name}.ts`])),
  platform: "node",
  cwd: root,
  // Without it what the oldest Node of `engines` does not parse, `using` for one, would stay as it is.
  transform: { target: `node${engines.node.replace(">=", "")}` },
  external: (id) => isBuiltin(id) || packages.some((name) => id === name || id.startsWith(`${name}/`)),
  output: {
    dir: process.argv[2] ?? "dist",
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
