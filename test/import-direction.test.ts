import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const source = resolve(import.meta.dirname, "../src");

/** The house, from the ground up. A file imports from its own room and from those that its row names. */
const rows: readonly (readonly [name: string, files: RegExp, roomsItMayUse: readonly string[]])[] = [
  ["ground", /^[a-z-]+\.ts$/u, []],
  ["keyring", /^keyring\//u, ["ground"]],
  ["store", /^store\//u, ["ground"]],
  ["shared-cache", /^shared-cache\//u, ["ground"]],
  ["providers", /^providers\//u, ["ground"]],
  ["coherence", /^coherence\//u, ["ground", "keyring", "store", "shared-cache"]],
  ["resolver", /^resolver\//u, ["ground", "keyring", "store", "shared-cache", "coherence", "providers"]],
  ["manager", /^manager\//u, ["ground", "keyring", "store", "shared-cache", "providers"]],
  ["http", /^http\//u, ["ground", "manager"]],
  ["cli", /^cli\//u, ["ground", "keyring", "store", "shared-cache", "providers", "manager", "http"]],
  ["testing", /^testing\//u, ["ground", "store", "shared-cache", "providers"]],
  [
    "face",
    /^index\.ts$/u,
    ["ground", "keyring", "store", "shared-cache", "coherence", "providers", "resolver", "manager"],
  ],
];

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imported = /(?:from|import)\s*\(?\s*"(?<path>\.{1,2}\/[^"]+)"/gu;

function roomOf(file: string): string {
  if (file === "index.ts") return "face";
  const room = rows.find(([, pattern]) => pattern.test(file));
  if (room === undefined) throw new Error(`${file} has no room: give it one in this test.`);
  return room[0];
}

describe("the house", () => {
  it.each(files)("%s imports only downwards", (file) => {
    const room = roomOf(file);
    const allowed = [room, ...(rows.find(([name]) => name === room)?.[2] ?? [])];
    for (const { groups } of readFileSync(join(source, file), "utf8").matchAll(imported)) {
      const target = relative(source, resolve(source, dirname(file), groups?.["path"] ?? ""));
      expect(allowed, `${file} imports ${target}`).toContain(roomOf(target));
    }
  });

  it("has no circle, not even of types", () => {
    const imports = new Map(
      files.map((file) => [
        file,
        [...readFileSync(join(source, file), "utf8").matchAll(imported)].map(({ groups }) =>
          relative(source, resolve(source, dirname(file), groups?.["path"] ?? "")),
        ),
      ]),
    );
    const reach = (file: string, seen: Set<string>): Set<string> => {
      for (const next of imports.get(file) ?? []) if (!seen.has(next)) reach(next, seen.add(next));
      return seen;
    };
    expect(files.filter((file) => reach(file, new Set()).has(file))).toEqual([]);
  });

  it("reveals a key only where it is sealed or handed to a provider", () => {
    const revealing = files.filter((file) => readFileSync(join(source, file), "utf8").includes(".reveal("));
    for (const file of revealing)
      expect(file).toMatch(/^(keyring\/local-keyring\.ts|coherence\/snapshot-codec\.ts|providers\/|testing\/)/u);
  });
});
