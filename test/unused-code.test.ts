import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const filesOf = (folder: string): string[] =>
  globSync("**/*.ts", { cwd: join(root, folder), exclude: ["**/node_modules"] }).map((file) => join(folder, file));
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");
const source = filesOf("src");
const everywhere = ["src", "test", "examples", "bench"].flatMap(filesOf);
const manifest = JSON.parse(textOf("package.json")) as {
  readonly exports: Record<string, string | { readonly default: string }>;
  readonly bin: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};

const sourceOf = (built: string): string => built.replace(/^(\.\/)?dist\//u, "src/").replace(/js$/u, "ts");

/** What a package's subpaths and its command lead to: its exports are for users. */
const faces = [
  ...Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [] : [sourceOf(target.default)],
  ),
  ...Object.values(manifest.bin).map(sourceOf),
];
const exported = /^export (?:declare )?(?:async )?(?:abstract )?(?:const|function|class) (?<name>\w+)/gmu;

it.each(source.filter((file) => !faces.includes(file)))("no value is exported from %s that nobody imports", (file) => {
  const others = everywhere.filter((other) => other !== file).map(textOf);
  const names = [...textOf(file).matchAll(exported)].map(({ groups }) => groups?.["name"] ?? "");
  const unused = names.filter((name) => !others.some((text) => new RegExp(`\\b${name}\\b`, "u").test(text)));
  expect(unused).toEqual([]);
});

it("every file of the source is imported", () => {
  const imports = everywhere.map(textOf).join("\n");
  const alone = source.filter((file) => !faces.includes(file) && !imports.includes(`/${file.split("/").at(-1)}"`));
  expect(alone).toEqual([]);
});

it("every dependency is imported or run", () => {
  const texts = [...everywhere, ".build.mjs"].map(textOf).join("\n");
  const scripts = Object.values(manifest.scripts).join("\n");
  /** Packages whose command has another name, or that are there for their types. */
  const commands: Record<string, string> = {
    "@arethetypeswrong/cli": "attw",
    "@biomejs/biome": "biome",
    typescript: "tsc",
    node: "node",
  };
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  const unused = names.filter((name) => {
    const isImported = new RegExp(`["'(]${name}(?:/[\\w./-]+)?["']`, "u").test(texts);
    return !isImported && !name.startsWith("@types/") && !scripts.includes(commands[name] ?? name);
  });
  expect(unused).toEqual([]);
});
