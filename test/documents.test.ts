import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, documents, readDocument } from "./support/documents.ts";

const root = resolve(import.meta.dirname, "..");

/** As GitHub names the heading in a link. */
const toAnchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
const anchorsOf = (text: string): string[] =>
  [...text.replace(/^```.*?^```$/gmsu, "").matchAll(/^#+ (?<heading>.+)$/gmu)].map(({ groups }) =>
    toAnchor(groups?.["heading"] ?? ""),
  );

describe.each([...documents])("%s", (file, text) => {
  it("names no file of the source, the tests or the examples that is not there", () => {
    const named = [...text.matchAll(/`(?<path>(?:src|test|examples|bench|docs|fixtures|\.ci)\/[\w./-]+)`/gu)];
    const missing = named.map(({ groups }) => groups?.["path"] ?? "").filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  it("links to nothing of the repository that is not there", () => {
    const links = [...text.matchAll(/\]\((?<target>[^)\s]+)\)/gu)].map(({ groups }) => groups?.["target"] ?? "");
    const broken = links.filter((link) => {
      if (/^https?:/u.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(documents.get(target) ?? "").includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe("the picture of the rooms", () => {
  const [, picture = ""] = blocksOf(readDocument("docs/architecture.md"), "mermaid");
  const arrows = [...picture.matchAll(/^ {2}(?<from>[a-z-]+)\S* --> (?<to>[a-z-]+)/gmu)].map(({ groups }) => [
    groups?.["from"] ?? "",
    groups?.["to"] ?? "",
  ]);
  const rooms = readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const filesOf = (room: string): string[] => {
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    if (room === "index") return ["index.ts"];
    return files.filter((file) => file.startsWith(`${room}/`) && file.endsWith(".ts"));
  };

  it("has every room, and so has the table below it", () => {
    expect([...new Set(arrows.flat())].sort()).toEqual([...rooms, "ground", "index"].sort());
    for (const room of rooms) expect(readDocument("docs/architecture.md")).toContain(`| \`src/${room}\` |`);
  });

  it.each(arrows)("has an arrow from %s to %s because one imports the other", (from, to) => {
    const imports = filesOf(from).flatMap((file) => [
      ...readFileSync(join(root, "src", file), "utf8").matchAll(/from "(?<path>\.{1,2}\/[^"]+)"/gu),
    ]);
    const target = to === "ground" ? /^(?:\.\.\/)+[\w-]+\.ts$/u : new RegExp(`^(?:\\.\\.?/)+${to}/`, "u");
    expect(imports.some(({ groups }) => target.test(groups?.["path"] ?? ""))).toBe(true);
  });
});
