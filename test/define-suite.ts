import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./long-first.ts";
import { noKeyPrinted } from "./support/no-key-printed.ts";

/** Tests with a command of their own, so that `npm test` stays within three minutes. */
export const faults: readonly string[] = [
  "test/faults/**/*.test.ts",
  "test/shared-cache/redis-{comes-back,failures}.test.ts",
  "test/store/postgres/postgres-{distance,pool,pooler,standby}.test.ts",
  "test/servers/*.test.ts",
];
export const sdks: readonly string[] = [
  "test/providers/egress/*.test.ts",
  "test/providers/{canary,environment,hermetic}.test.ts",
  "test/testing/provider-contract.test.ts",
  "test/one-sdk-of-five.test.ts",
  "test/quickstart.test.ts",
];
export const calls: readonly string[] = ["test/calls/*.test.ts"];

export function defineSuite(
  include: readonly string[],
  exclude: readonly string[] = [],
): ReturnType<typeof defineConfig> {
  return defineConfig({
    root: resolve(import.meta.dirname, ".."),
    // Examples are of the source, as the tests are, and not of what was built last.
    resolve: { alias: [{ find: /^byokit$/u, replacement: resolve(import.meta.dirname, "../src/index.ts") }] },
    test: {
      include: [...include],
      exclude: [...exclude],
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
}
