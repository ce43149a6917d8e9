import { it } from "vitest";

// biome-ignore lint/suspicious/noConsole: what a test must not do.
it("prints", () => console.info("planted-key-AbCdEfGhIjKlMnOp"));
