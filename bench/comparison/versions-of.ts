import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What is installed of the packages that a folder's package.json names. */
export function versionsOf(folder: string): Record<string, string> {
  const { devDependencies } = manifest(folder) as { devDependencies: Readonly<Record<string, string>> };
  return Object.fromEntries(
    Object.keys(devDependencies).map((name) => {
      const { version } = manifest(join(folder, "node_modules", name)) as { version: string };
      return [name, version];
    }),
  );
}

function manifest(folder: string): object {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
}
