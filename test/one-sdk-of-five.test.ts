import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { build, type Format } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const installed = ["@types/node", "@types/ws", "lru-cache", "undici-types", "zod", "openai", "ws"];
const worker = `
  import { createKeyring, createResolver, generateKeyring, memoryStore } from "./src/index.ts";
  const main = async () => {
    const platformKeys = { openai: "key-of-the-platform", elevenlabs: "key-of-the-platform" };
    const store = memoryStore();
    await store.migrate();
    const resolver = createResolver({ store, keyring: createKeyring(generateKeyring()), platformKeys, deadlineMs: 20_000 });
    await resolver.ready();
    const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
    const missing = await resolver.resolve("org", { tts_config: { provider: "elevenlabs" } }).catch((error) => error);
    console.log(JSON.stringify([typeof llm.client.chat.completions.create, missing.code]));
    await resolver.close();
  };
  main();
`;
let folder: string;

/** A project that has one SDK of five. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "byokit-bundle-"));
  writeFileSync(join(folder, "worker.ts"), worker);
  symlinkSync(join(root, "src"), join(folder, "src"));
  for (const name of installed) {
    const place = join(folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", name), place);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each<[Format, string]>([
  ["cjs", "worker.cjs"],
  ["esm", "worker.mjs"],
])("a bundle with one SDK of five is built (%s); the others are sdk_missing where they are needed", async (format, name) => {
  const outfile = join(folder, name);
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
  await build({
    absWorkingDir: folder,
    entryPoints: ["worker.ts"],
    outfile,
    format,
    bundle: true,
    platform: "node",
    target: "node22",
    preserveSymlinks: true,
    logLevel: "silent",
    ...(format === "esm" ? { banner } : {}),
  });
  const printed = execFileSync(process.execPath, [outfile], { encoding: "utf8", timeout: 60_000 });
  expect(JSON.parse(printed)).toEqual(["function", "sdk_missing"]);
});

it("declarations are checked without an error where one SDK is installed, and its client has its type", () => {
  const tsc = (...options: readonly string[]): string =>
    spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...options], { encoding: "utf8" })
      .stdout;
  expect(tsc("-p", root, "--noCheck", "--emitDeclarationOnly", "--outDir", join(folder, "dist"))).toBe("");
  const compilerOptions = { module: "nodenext", target: "es2024", strict: true, skipLibCheck: false, noEmit: true };
  const types = { types: ["node"], lib: ["es2024", "esnext.disposable", "dom.asynciterable"] };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...types }, files: ["typed.ts"] }),
  );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    join(folder, "typed.ts"),
    `import { createResolver, type ResolverOptions } from "./dist/index.js";
     import * as testing from "./dist/testing/index.js";
     const resolver = createResolver({} as ResolverOptions);
     const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
     export const wrong: number = llm.client;
     export { testing };`,
  );
  const errors = tsc("-p", folder).trim().split("\n");
  expect(errors).toEqual([expect.stringContaining("Type 'OpenAI' is not assignable to type 'number'")]);
});
