import { statSync } from "node:fs";
import { warn } from "./output.ts";

/** What group and others may do with a file. */
const others = 0o077;

const warned = new Set<string>();

/** Says once that a file is not its owner's alone, and what mends it. Modes mean nothing on Windows. */
export function warnOfWideMode(path: string): void {
  if (process.platform === "win32" || warned.has(path)) return;
  const mode = readMode(path);
  if ((mode & others) === 0) return;
  warned.add(path);
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  warn(`warning: ${path} is open to other users (mode ${shown}). Run: chmod 600 ${quote(path)}`);
}

/** `0` for what is no file, or not to be seen: opening it will say so. */
function readMode(path: string): number {
  try {
    const file = statSync(path);
    return file.isFile() ? file.mode : 0;
  } catch {
    return 0;
  }
}

/** For a shell, where it would take the path for something else. */
function quote(path: string): string {
  if (/^[\w./][\w./@+=:,-]*$/u.test(path)) return path;
  const operand = path.startsWith("-") ? `./${path}` : path;
  return `'${operand.replaceAll("'", "'\\''")}'`;
}
