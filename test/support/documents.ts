import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** What a stranger reads, by its path below the root. */
export const documents: ReadonlyMap<string, string> = new Map(
  [
    ...readdirSync(root),
    ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((file) => join("docs", file)),
  ]
    .filter((file) => file.endsWith(".md"))
    .map((file) => [file, readFileSync(join(root, file), "utf8")]),
);

/** A document by its path; one that is not there is an error. */
export function readDocument(file: string): string {
  const text = documents.get(file);
  if (text === undefined) throw new Error(`There is no ${file}.`);
  return text;
}

/** The blocks of code of one language. */
export function blocksOf(text: string, language: string): string[] {
  const block = new RegExp(`^\`\`\`${language}\n(?<code>.*?)^\`\`\`$`, "gmsu");
  return [...text.matchAll(block)].map(({ groups }) => groups?.["code"] ?? "");
}
