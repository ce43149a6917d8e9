import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/**
 * The package as it ships, for one test file: its folder, once the tests run. Beside `dist`, which others read, and within the
 * project, where it finds what it depends on. The command line starts four times as fast as its source does.
 */
export function useBuiltPackage(): () => string {
  let folder: string | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(root, ".built-"));
    execFileSync(process.execPath, [join(root, ".build.mjs"), folder], { cwd: root });
  }, 60_000);
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  return () => {
    if (folder === undefined)
      throw new Error("The package is built before the tests run, not before they are defined.");
    return folder;
  };
}
