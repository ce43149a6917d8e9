import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./long-first.ts";
import { noKeyPrinted } from "./support/no-key-printed.ts";

export default defineConfig({
  // Examples are of the source, as the tests are, and not of what was built last.
  resolve: { alias: [{ find: /^byokit$/u, replacement: resolve(import.meta.dirname, "../src/index.ts") }] },
  test: {
    include: ["test/**/*.test.ts"],
    // `npm run guards` has them.
    exclude: ["test/guards/**"],
    globalSetup: ["test/servers/global-setup.ts"],
    sequence: { sequencer: LongFirst },
    reporters: ["default", noKeyPrinted],
    // Vitest would leave one processor to others. Many tests wait for a server most of the time: one more worker fits.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    unstubEnvs: true,
  },
});
