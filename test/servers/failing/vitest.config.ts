import { defineConfig } from "vitest/config";

/** The suite's own set-up around one test that fails: `exit-code.test.ts` runs it. */
export default defineConfig({
  test: { include: ["test/servers/failing/always-fails.ts"], globalSetup: ["test/servers/global-setup.ts"] },
});
