import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import type { ResolverEvent } from "../src/resolver/resolver-event.ts";
import { documents, readDocument } from "./support/documents.ts";

/** Closed by the compiler: an event that is new has to be said here, and then in docs/events.md. */
const eventTypes = Object.keys({
  fallback: true,
  stale: true,
  key_unusable: true,
  snapshot_used: true,
  snapshot_refused: true,
  entry_refused: true,
  poll_failed: true,
  feed_recovered: true,
  flushed: true,
  history_lost: true,
  cache_down: true,
  cache_up: true,
  cache_failed: true,
  subscription_renewed: true,
  request: true,
  source_changed: true,
  key_refused: true,
  key_recovered: true,
  platform_key_refused: true,
} satisfies Record<ResolverEvent["type"], true>);

const root = resolve(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: Record<string, string>;
};
it("docs/errors.md names every error code, and no other", () => {
  const codesOf = (file: string): string[] =>
    [...readFileSync(join(root, file), "utf8").matchAll(/^ {2}\| "(?<code>\w+)"/gmu)].map(
      ({ groups }) => groups?.["code"] ?? "",
    );
  const named = [...readDocument("docs/errors.md").matchAll(/`(?<code>[a-z]+_[a-z_]+|closed)`/gu)].map(
    ({ groups }) => groups?.["code"] ?? "",
  );
  expect(named.sort()).toEqual(codesOf("src/errors.ts").sort());
  for (const code of codesOf("src/http/problem.ts")) expect(readDocument("docs/api.md")).toContain(`\`${code}\``);
});

it.each(eventTypes)("docs/events.md names the event %s, and a test sees it", (type) => {
  expect(readDocument("docs/events.md")).toContain(`\`${type}\``);
  const tests = globSync("*/**/*.test.ts", { cwd: import.meta.dirname, exclude: ["**/node_modules"] });
  const seen = tests.filter((file) => readFileSync(join(import.meta.dirname, file), "utf8").includes(`"${type}"`));
  expect(seen, `A test provokes "${type}".`).not.toEqual([]);
});

it("the test files that the documents name are there", () => {
  const named = [...[...documents.values()].join("\n").matchAll(/`(?:test\/)?(?<file>[\w/-]+\.test\.ts)`/gu)].map(
    ({ groups }) => groups?.["file"],
  );
  expect(named.length).toBeGreaterThan(5);
  for (const file of named) expect(existsSync(join(import.meta.dirname, file ?? "")), file).toBe(true);
});

it("docs/dependencies.md gives a reason for every dependency", () => {
  for (const name of Object.keys(manifest.dependencies))
    expect(readDocument("docs/dependencies.md")).toContain(`\`${name}\``);
});
