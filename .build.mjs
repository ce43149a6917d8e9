/**
 * Bundles `src` into `dist`, or the folder that is named: a file for each entry that package.json names, one for all that
 * importing `byokit` takes, and one for what others share. An importer pays for each file, and for comments.
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

const bundle = (names, output) =>
  build({
    input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    platform: "node",
    cwd: root,
    // Without it what the oldest Node of `engines` does not parse, `using` for one, would stay as it is.
    transform: { target: `node${engines.node.replace(">=", "")}` },
    external: (id) => isBuiltin(id) || packages.some((name) => id === name || id.startsWith(`${name}/`)),
    write: output.dir !== undefined,
    output: { format: "esm", ...output },
  });

/** The modules that importing `byokit` loads. */
async function findImported() {
  const { output } = await bundle(["index"], {});
  const chunks = new Map(output.filter(({ type }) => type === "chunk").map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set(["index.js"]);
  for (const name of loaded) for (const next of chunks.get(name).imports) if (chunks.has(next)) loaded.add(next);
  return new Set([...loaded].flatMap((name) => Object.keys(chunks.get(name).modules)));
}

const imported = await findImported();

await bundle(files, {
  dir: process.argv[2] ?? "dist",
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name]-[hash].js",
  codeSplitting: { groups: [{ name: "byokit", test: (id) => imported.has(id) }] },
  comments: { jsdoc: false },
  sourcemap: true,
  sourcemapExcludeSources: true,
});
