import { randomUUID } from "node:crypto";
import { existsSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { ByokError } from "../errors.ts";
import { type HashedToken, parseTokens } from "../http/server/bearer-tokens.ts";
import { isIdentifier } from "../identifier.ts";
import { holdLock, LockFailure } from "./hold-lock.ts";
import { readText } from "./read-text.ts";

/** The longest that other processes are waited for, in milliseconds. */
const waitMs = 5_000;

/** @throws ByokError `options_invalid`; `deadline_exceeded` when other processes change the file all the time. */
export function addToken(file: string, token: HashedToken): void {
  if (!isIdentifier(token.orgId) || (token.actor !== undefined && !isIdentifier(token.actor))) {
    const message = "--org and --actor are 1 to 255 characters without control characters. Correct them.";
    throw new ByokError("options_invalid", message);
  }
  changeTokens(file, (tokens) => [...tokens, token]);
}

/**
 * Changes a file of tokens, made if it is not there. Whoever reads it sees it before or after, never in between; no change
 * of another process is lost.
 */
export function changeTokens(file: string, change: (tokens: readonly HashedToken[]) => readonly HashedToken[]): void {
  const path = existsSync(file) ? realpathSync(file) : file;
  try {
    holdLock(`${path}.lock`, waitMs, () => {
      const before = existsSync(path) ? parseTokens(readText(path, "of tokens")) : [];
      replaceFile(path, `${JSON.stringify({ tokens: change(before) }, null, 2)}\n`);
    });
  } catch (error) {
    throw error instanceof LockFailure ? explainLock(error) : error;
  }
}

function replaceFile(path: string, text: string): void {
  parseTokens(text);
  const unfinished = `${path}.${randomUUID()}`;
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function explainLock({ isHeld, message }: LockFailure): ByokError {
  if (isHeld) return new ByokError("deadline_exceeded", "Other processes change the file of tokens. Try again.");
  return new ByokError("options_invalid", `The file of tokens cannot be written (${message}). Choose another place.`);
}
