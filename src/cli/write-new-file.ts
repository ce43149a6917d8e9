import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from "node:fs";
import { ByokError } from "../errors.ts";

/**
 * Writes a file that is not there yet, for its owner alone. It is seen whole or not at all, and nothing is overwritten.
 *
 * @throws ByokError `options_invalid` that names the path.
 */
export function writeNewFile(path: string, text: string): void {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    writeWhole(unfinished, text);
    moveToNew(unfinished, path, text);
  } catch (error) {
    throw explain(error, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename would replace what is there; a link does not. Some file systems have none. */
function moveToNew(unfinished: string, path: string, text: string): void {
  try {
    linkSync(unfinished, path);
  } catch (error) {
    if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error))) throw error;
    writeWhole(path, text);
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

function explain(error: unknown, path: string): ByokError {
  const code = codeOf(error);
  const what =
    code === "EEXIST"
      ? `${path} is there already, and is not overwritten. Name a file that is not.`
      : `${path} cannot be written (${code}). Check that its folder is there, its disk, and your rights.`;
  return new ByokError("options_invalid", what);
}
