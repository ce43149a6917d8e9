import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";
import type { Reporter } from "vitest/node";
import type { Guard } from "./guard.ts";

/** Runs one test file with one guard taken out of the source. The guard arrives as JSON in BYOKIT_GUARD. */
const guard = JSON.parse(process.env["BYOKIT_GUARD"] ?? "null") as Guard;
const root = resolve(import.meta.dirname, "../..");

const takenOut: Plugin = {
  name: "guard-taken-out",
  enforce: "pre",
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
const verdict: Reporter = {
  onTestRunEnd(files, errors) {
    const tests = files.flatMap((file) => [...file.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    const unhandled = errors.map(({ message }) => message);
    const broken = files.flatMap((file) => file.errors()).map(({ message }) => message);
    process.stdout.write(`${JSON.stringify({ states, unhandled, broken })}\n`);
  },
};

export default defineConfig({
  root,
  plugins: [takenOut],
  test: {
    include: [`test/${guard.test}`],
    globalSetup: ["test/servers/global-setup.ts"],
    ...(guard.only === undefined ? {} : { testNamePattern: guard.only }),
    testTimeout: 10_000,
    hookTimeout: 20_000,
    unstubEnvs: true,
    // A transform that is kept from another run would stand in for this guard's.
    fsModuleCache: false,
    pool: "threads",
    isolate: false,
    bail: 1,
    reporters: [verdict],
  },
});
