import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** `npm run guards`: every guard is taken out in a run of its own, and the tests that hold it must fail there. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    include: ["test/guards/guards.test.ts"],
    globalSetup: ["test/servers/global-setup.ts"],
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
