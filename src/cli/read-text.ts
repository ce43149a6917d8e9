import { readFileSync } from "node:fs";
import { ByokError } from "../errors.ts";

const words: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "is not there"],
  ["EISDIR", "is a folder"],
  ["EACCES", "may not be read by this user"],
  ["EPERM", "may not be read by this user"],
  ["ENAMETOOLONG", "has a path that is too long to be one"],
]);

/** A file's text. @throws ByokError `options_invalid` that calls it "the file `which`". */
export function readText(path: string, which: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
    const what = words.get(code) ?? "cannot be read";
    throw new ByokError("options_invalid", `The file ${which} ${what} (${code}). Correct the path.`);
  }
}
