import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const source = resolve(import.meta.dirname, "../src");

/** The house, from the ground up. A file imports from its own row and from rows above it in this list, never from below. */
const rows: readonly (readonly [name: string, files: RegExp, roomsItMayUse: readonly string[]])[] = [
  ["ground", /^[a-z-]+\.ts$/u, []],
  ["vault", /^vault\//u, ["ground"]],
  ["providers", /^providers\//u, ["ground"]],
  ["cache", /^cache\//u, ["ground", "vault"]],
  ["resolver", /^resolver\//u, ["ground", "vault", "cache", "providers"]],
  ["manager", /^manager\//u, ["ground", "vault", "cache", "providers"]],
  ["http", /^http\//u, ["ground", "manager"]],
  ["cli", /^cli\//u, ["ground", "vault", "cache", "providers", "manager", "http"]],
  ["testing", /^testing\//u, ["ground", "vault", "cache", "providers"]],
  ["face", /^index\.ts$/u, ["ground", "vault", "cache", "providers", "resolver", "manager"]],
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
      expect(file).toMatch(/^(vault\/local-keyring\.ts|cache\/snapshot-codec\.ts|providers\/|testing\/)/u);
  });
});
