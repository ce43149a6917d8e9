import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, documents } from "./support/documents.ts";

const root = resolve(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly exports: Record<string, string | { readonly default: string }>;
  readonly scripts: Record<string, string>;
};
/** Below the root, so that packages are found. */
const folder = mkdtempSync(join(root, "node_modules", ".documents-"));

/** What an example may use without declaring it: an earlier example did, or the reader has it. */
const givens = `
import type { AgentConfig, KeyManager, Keyring, KeyStore, Resolver } from "byokit";
declare global {
  const store: KeyStore;
  const keyring: Keyring;
  const manager: KeyManager;
  const resolver: Resolver;
  const agent: AgentConfig;
  const apiKey: string;
  const sessionOf: (cookie: string | null) => Promise<{ org: string; user: string; isAdmin: boolean } | null>;
}`;

/** The languages of blocks, each with what holds it. */
const languages: Readonly<Record<string, string>> = {
  ts: "compiled here",
  sh: "its npm scripts are looked up here; docs/command-line.md's are run in test/cli/documented-commands.test.ts",
  sql: "run in test/store/postgres/postgres-roles.test.ts",
  js: "run in test/quickstart.test.ts",
  mermaid: "compared with the source in test/documents.test.ts",
  text: "shown to be read",
};

afterAll(() => rmSync(folder, { recursive: true }));

/** The examples in the comments of the source, by file, as documents of their own. */
const comments: readonly (readonly [file: string, text: string])[] = readdirSync(join(root, "src"), {
  recursive: true,
  encoding: "utf8",
})
  .filter((file) => file.endsWith(".ts"))
  .map((file) => [join("src", file), readFileSync(join(root, "src", file), "utf8")] as const)
  .filter(([, text]) => text.includes("* @example"))
  .map(([file, text]) => [file, text.replace(/^ *\* ?/gmu, "")]);

it("what people call first has an example", () => {
  const files = comments.map(([file]) => basename(file));
  expect(files).toEqual(
    expect.arrayContaining([
      "create-key-manager.ts",
      "create-handler.ts",
      "create-resolver.ts",
      "key-manager.ts",
      "keyring-json.ts",
      "postgres-store.ts",
      "redis-cache.ts",
      "resolver.ts",
      "serve.ts",
      "sqlite-store.ts",
      "start-provider-doubles.ts",
    ]),
  );
});

it("every example of the documents and of the source compiles", async () => {
  let count = 0;
  for (const [document, text] of [...documents, ...comments]) {
    const place = join(folder, document.replace(/\.\w+$/u, ""));
    mkdirSync(place, { recursive: true });
    for (const [index, code] of blocksOf(text, "ts").entries()) {
      // A block that other blocks import says in its first line which file it is.
      const name = /^\/\/ (?<file>[\w.-]+\.ts)\n/u.exec(code)?.groups?.["file"] ?? `example-${index}.ts`;
      writeFileSync(join(place, name), `${code}\nexport {};\n`);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(20);
  writeFileSync(join(folder, "givens.d.ts"), givens);
  const faces = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === "string"
      ? []
      : [[join("byokit", subpath), [join(root, target.default.replace("./dist/", "src/").replace(/js$/u, "ts"))]]],
  );
  const compilerOptions = { rootDir: root, noEmit: true, noUnusedLocals: false, paths: Object.fromEntries(faces) };
  const config = { extends: join(root, "test/tsconfig.json"), compilerOptions, include: ["**/*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const compiled = promisify(execFile)(process.execPath, [tsc, "-p", folder]).then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
  expect(await compiled).toBe("");
});

describe.each([...documents])("%s", (file, text) => {
  it("says of every block of code what language it is, and one that is held", () => {
    const fences = [...text.matchAll(/^```(?<language>.*)$/gmu)].filter((_, index) => index % 2 === 0);
    for (const { groups } of fences) expect(Object.keys(languages)).toContain(groups?.["language"]);
  });

  it("names no npm script that is not there", () => {
    const named = [...text.matchAll(/npm run (?:--silent )?(?<script>[\w:]+)/gu)].map(
      ({ groups }) => groups?.["script"],
    );
    expect([basename(file), named.filter((script) => !Object.hasOwn(manifest.scripts, script ?? ""))]).toEqual([
      basename(file),
      [],
    ]);
  });
});
