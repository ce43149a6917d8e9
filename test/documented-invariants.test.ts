import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { allGuards } from "./guards/all-guards.ts";
import { invariants, page } from "./support/invariants.ts";

const root = resolve(import.meta.dirname, "..");
const guards = allGuards.flatMap(([, each]) => each);
const filesOfGuard = (name: string): string[] =>
  guards.filter((guard) => guard.name === name).map(({ file }) => `src/${file}`);

const excused = [
  ...(page.split("\n## Guards that hold no invariant\n")[1] ?? "").matchAll(/^\| `(?<name>[^`]+)` \| \S/gmu),
].map(({ groups }) => groups?.["name"] ?? "");

it("the invariants are numbered one by one", () => {
  expect(invariants.map(({ id }) => id)).toEqual(invariants.map((_, index) => `I${index + 1}`));
});

describe.each(invariants)("$id", ({ enforced, guards: named, tests }) => {
  it("names the functions that enforce it, and they are there", () => {
    expect(enforced).not.toEqual([]);
    for (const { file, names } of enforced) {
      const source = readFileSync(join(root, file), "utf8");
      for (const name of names.flatMap((symbol) => symbol.split("."))) expect(source).toContain(name);
    }
  });

  it("has a guard, and all of its guards stand in the files that enforce it", () => {
    expect(named).not.toEqual([]);
    const files = enforced.map(({ file }) => file);
    for (const name of named) {
      expect(filesOfGuard(name), `There is no guard "${name}".`).not.toEqual([]);
      expect(files, `"${name}" stands elsewhere.`).toEqual(expect.arrayContaining(filesOfGuard(name)));
    }
  });

  it("names its tests, those of its guards among them, and they are there", () => {
    expect(tests).not.toEqual([]);
    for (const { file, names } of tests) {
      const source = readFileSync(join(root, file), "utf8");
      for (const name of names) expect(source).toContain(`"${name}"`);
    }
    const held = guards.filter(({ name, file }) => named.includes(name) && file.startsWith("coherence/"));
    expect(tests.map(({ file }) => file)).toEqual(expect.arrayContaining(held.map(({ test }) => `test/${test}`)));
  });
});

it("every guard of the coherence rooms holds an invariant, or has a reason why it holds none", () => {
  const ours = guards.filter(({ file }) => file.startsWith("coherence/")).map(({ name }) => name);
  const documented = [...invariants.flatMap(({ guards: named }) => named), ...excused];
  expect([...new Set(ours)].sort()).toEqual(documented.sort());
});
