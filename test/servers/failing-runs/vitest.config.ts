import { defineConfig } from "vitest/config";
import { noKeyPrinted } from "../../support/no-key-printed.ts";

/** The suite's own set-up around one test that must fail its run: `exit-code.test.ts` names it. */
export default defineConfig({
  test: {
    include: [`test/servers/failing-runs/${process.env["BYOKIT_FAILING"]}`],
    globalSetup: ["test/servers/global-setup.ts"],
    reporters: ["default", noKeyPrinted],
  },
});
