import { readFileSync } from "node:fs";
import { ByokError } from "../errors.ts";

/** A file's text. @throws ByokError `options_invalid` that calls it "the file `which`". */
export function readText(path: string, which: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
    throw new ByokError("options_invalid", `The file ${which} cannot be read (${code}). Correct the path.`);
  }
}
