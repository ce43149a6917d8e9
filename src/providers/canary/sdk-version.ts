import { readFileSync } from "node:fs";

/** The version of a package that is installed for byokit; `undefined` where that cannot be seen, as in a bundle. */
export function findInstalledVersion(name: string): string | undefined {
  // Without a base of a URL or of a path: bundlers would look there for files to copy.
  const folders = String(import.meta.url).split("/");
  while (folders.pop() !== undefined) {
    const version = readVersion([...folders, "node_modules", name, "package.json"].join("/"));
    if (version !== undefined) return version;
  }
  return undefined;
}

function readVersion(manifest: string): string | undefined {
  try {
    return String(JSON.parse(readFileSync(new URL(manifest), "utf8")).version).replace(/^v/u, "");
  } catch {
    return undefined;
  }
}

/** Whether a version is within a range of the form `>=6.0.0 <8`. A version ahead of a release is none. */
export function isWithin(version: string, range: string): boolean {
  const [from = "", below = ""] = range.split(" ").map((part) => part.replace(/^[^\d]+/u, ""));
  return /^[\d.]+$/u.test(version) && compare(version, from) >= 0 && compare(version, below) < 0;
}

function compare(one: string, other: string): number {
  const [left, right] = [one, other].map((version) => version.split(".").map(Number));
  const at = [0, 1, 2].find((index) => (left?.[index] ?? 0) !== (right?.[index] ?? 0));
  return at === undefined ? 0 : (left?.[at] ?? 0) - (right?.[at] ?? 0);
}
