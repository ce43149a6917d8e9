import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { noKeyPrinted } from "../support/no-key-printed.ts";

const source = resolve(import.meta.dirname, "../../src/index.ts");

/** `npm run test:frameworks`. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  resolve: { alias: [{ find: /^byokit$/u, replacement: source }] },
  test: {
    include: ["test/frameworks/*.test.ts"],
    reporters: ["default", noKeyPrinted],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // LiveKit's openai.TTS leaves the rejection that it tells of to nobody as well.
    onUnhandledError: ({ stack }) => stack?.includes("agents-plugin-openai/dist/tts.js") !== true,
  },
});
