import { readDocument } from "./documents.ts";

/** The page that names them. */
export const page = readDocument("docs/coherence.md");

export interface Named {
  readonly file: string;
  readonly names: readonly string[];
}

export interface Invariant {
  readonly id: string;
  readonly enforced: readonly Named[];
  readonly guards: readonly string[];
  readonly tests: readonly Named[];
}

/** `file`: `name`, `name`; `file`: … with the names in backticks or in quotation marks. */
function readNamed(item: string): Named[] {
  return [...item.matchAll(/`(?<file>(?:src|test)\/[^`]+)`: (?<names>(?:["`][^"`]+["`](?:, )?)+)/gu)].map(
    ({ groups }) => ({ file: groups?.["file"] ?? "", names: readNames(groups?.["names"] ?? "") }),
  );
}

function readNames(text: string): string[] {
  return [...text.matchAll(/["`](?<name>[^"`]+)["`]/gu)].map(({ groups }) => groups?.["name"] ?? "");
}

function readInvariant(section: string): Invariant {
  const itemOf = (label: string): string =>
    (new RegExp(`^- ${label}: (?<text>.*(?:\\n {2}.*)*)`, "mu").exec(section)?.groups?.["text"] ?? "").replace(
      /\n {2}/gu,
      " ",
    );
  const id = /^I\d+/u.exec(section)?.[0] ?? "";
  return {
    id,
    enforced: readNamed(itemOf("Enforced")),
    guards: readNames(itemOf("Guards")),
    tests: readNamed(itemOf("Tests")),
  };
}

/** The invariants of docs/coherence.md, in their order. */
export const invariants: readonly Invariant[] = page
  .split("\n### ")
  .slice(1)
  .map((section) => readInvariant(section.split("\n## ")[0] ?? ""));
