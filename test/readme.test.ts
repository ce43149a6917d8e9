import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import type { ResolverEvent } from "../src/resolver/resolver-event.ts";
import { documents } from "./support/documents.ts";

/** Closed by the compiler: an event that is new has to be said here, and then in the README. */
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
const readme = readFileSync(join(root, "README.md"), "utf8");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: Record<string, string>;
};
it("the README names every error code, and no other", () => {
  const codesOf = (file: string): string[] =>
    [...readFileSync(join(root, file), "utf8").matchAll(/^ {2}\| "(?<code>\w+)"/gmu)].map(
      ({ groups }) => groups?.["code"] ?? "",
    );
  const errors = readme.slice(readme.indexOf("\n## Errors"), readme.indexOf("\n## Events"));
  const named = [...errors.matchAll(/`(?<code>[a-z]+_[a-z_]+|closed)`/gu)].map(({ groups }) => groups?.["code"] ?? "");
  expect(named.sort()).toEqual(codesOf("src/errors.ts").sort());
  const api = readme.slice(readme.indexOf("\n## The API"), readme.indexOf("\n## Scaling"));
  for (const code of codesOf("src/http/problem.ts")) expect(api).toContain(`\`${code}\``);
});

it.each(eventTypes)("the README names the event %s, and a test sees it", (type) => {
  const section = readme.slice(readme.indexOf("\n## Events"), readme.indexOf("\n## The API"));
  expect(section).toContain(`\`${type}\``);
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\/.+\.test\.ts$/u.test(file),
  );
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

it("the README gives a reason for every dependency", () => {
  const section = readme.slice(readme.indexOf("\n## Dependencies"), readme.indexOf("\n## Figures"));
  for (const name of Object.keys(manifest.dependencies)) expect(section).toContain(`\`${name}\``);
});
