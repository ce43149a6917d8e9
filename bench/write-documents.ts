/** Run by itself (`node bench/write-documents.ts`), it writes everything that was recorded into the documents again. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Figures, fillIn, placesIn, readFigures } from "./figures.ts";

const root = resolve(import.meta.dirname, "..");

/** Writes what was recorded into its places in the documents; with `only`, one table. */
export function writeDocuments(figures: Figures, only?: string): void {
  for (const folder of [root, join(root, "docs")]) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".md"))) {
      const text = readFileSync(join(folder, file), "utf8");
      const places = placesIn(text);
      if (only === undefined ? places.length > 0 : places.includes(only)) {
        writeFileSync(join(folder, file), fillIn(text, figures, only));
      }
    }
  }
}

if (import.meta.main) writeDocuments(readFigures());
