/**
 * Bundles `src` into `dist`, or the folder that is named: a file for each entry that package.json names, and one for what several need. A hundred and fifty
 * small files cost an importer several times as much as their text.
 */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { build } from "rolldown";

const { exports, bin } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const files = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)]
  .map((file) => file?.replace(/^(?:\.\/)?dist\/(.+)\.js$/u, "$1"))
  .filter((name) => name !== undefined);

await build({
  input: Object.fromEntries(files.map((name) => [name, `src/${name}.ts`])),
  platform: "node",
  external: (id) => isBuiltin(id) || !/^[./]/u.test(id),
  output: {
    dir: process.argv[2] ?? "dist",
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
