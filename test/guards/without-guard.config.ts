import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";
import type { Reporter } from "vitest/node";
import type { Guard } from "./guard.ts";
import type { Verdict } from "./verdict.ts";

/** Runs the tests that must notice one guard, with that guard taken out. It arrives as JSON in BYOKIT_GUARD. */
const guard = JSON.parse(process.env["BYOKIT_GUARD"] ?? "null") as Guard;
const root = resolve(import.meta.dirname, "../..");

const takeOut: Plugin = {
  name: "take-guard-out",
  enforce: "pre",
  // Every other file is the same in every run, and need not be transformed anew.
  configureVitest: ({ defineCacheKeyGenerator }) =>
    defineCacheKeyGenerator(({ id }) => (id === resolve(root, "src", guard.file) ? false : undefined)),
  transform(code, id) {
    if (id !== resolve(root, "src", guard.file)) return undefined;
    let edited = code;
    for (const { find, replace } of guard.also === undefined ? [guard] : [guard, guard.also]) {
      const parts = edited.split(find);
      if (parts.length !== 2) throw new Error(`"${find}" stands ${parts.length - 1} times in ${guard.file}.`);
      edited = parts.join(replace);
    }
    return { code: edited, map: null };
  },
};

/** What the run says, as one line of JSON. */
const sayVerdict: Reporter = {
  onTestRunEnd(files, errors) {
    const tests = files.flatMap((file) => [...file.children.allTests()]);
    const namesOf = (state: string): string[] =>
      tests.filter((test) => test.result().state === state).map(({ fullName }) => fullName);
    const verdict: Verdict = {
      failed: namesOf("failed"),
      passed: namesOf("passed"),
      unhandled: errors.map(({ message }) => message),
      broken: files.flatMap((file) => file.errors()).map(({ message }) => message),
    };
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
  },
};

export default defineConfig({
  root,
  plugins: [takeOut],
  resolve: { alias: [{ find: /^byokit$/u, replacement: resolve(root, "src/index.ts") }] },
  test: {
    include: [`test/${guard.test}`],
    globalSetup: ["test/servers/global-setup.ts"],
    testNamePattern: guard.only,
    testTimeout: 10_000,
    hookTimeout: 20_000,
    unstubEnvs: true,
    fsModuleCache: true,
    pool: "threads",
    isolate: false,
    reporters: [sayVerdict],
  },
});
