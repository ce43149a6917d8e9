import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { noKeyPrinted } from "./support/no-key-printed.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // `npm run guards` has them.
    exclude: ["test/guards/**"],
    globalSetup: ["test/servers/global-setup.ts"],
    reporters: ["default", noKeyPrinted],
    // Vitest would leave one processor to others.
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    unstubEnvs: true,
  },
});
