import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { ByokError } from "../errors.ts";
import { type HashedToken, parseTokens } from "../http/server/bearer-tokens.ts";
import { isIdentifier } from "../identifier.ts";
import { holdLock, LockFailure } from "./hold-lock.ts";
import { readText } from "./read-text.ts";

/** The longest that other processes are waited for, in milliseconds. */
const waitMs = 5_000;
/** The most links that lead from one to the next, as in Linux. */
const maxLinks = 40;

/** @throws ByokError `options_invalid`; `deadline_exceeded` when other processes change the file all the time. */
export function addToken(file: string, token: HashedToken): void {
  if (!isIdentifier(token.orgId) || (token.actor !== undefined && !isIdentifier(token.actor))) {
    const message = "--org and --actor are 1 to 255 characters without control characters. Correct them.";
    throw new ByokError("options_invalid", message);
  }
  changeTokens(file, (tokens) => [...tokens, token]);
}

/** Takes out the token of an id, and returns it. @throws ByokError `options_invalid` where none has it */
export function removeToken(file: string, id: string): HashedToken {
  readText(file, "of tokens");
  let removed: HashedToken | undefined;
  changeTokens(file, (tokens) => {
    removed = tokens.find((token) => tokenId(token) === id);
    return tokens.filter((token) => tokenId(token) !== id);
  });
  if (removed !== undefined) return removed;
  throw new ByokError("options_invalid", "No token has that id. See: byokit tokens list");
}

/** What a token is called: no part of its hash. */
export function tokenId({ sha256 }: HashedToken): string {
  return createHash("sha256").update(`byokit token ${sha256}`).digest("hex").slice(0, 12);
}

/**
 * Changes a file of tokens, made for its owner alone if it is not there. A reader sees it before or after, never in
 * between; no change of another process is lost. It stays whose it was, with its rights, and a link stays a link.
 */
export function changeTokens(file: string, change: (tokens: readonly HashedToken[]) => readonly HashedToken[]): void {
  const path = followLinks(file);
  try {
    holdLock(`${path}.lock`, waitMs, () => {
      const stats = statSync(path, { throwIfNoEntry: false });
      const before = stats === undefined ? [] : parseTokens(readText(path, "of tokens"));
      if (stats !== undefined) shareLock(`${path}.lock`, stats);
      replaceFile(path, `${JSON.stringify({ tokens: change(before) }, null, 2)}\n`, stats);
    });
  } catch (error) {
    throw error instanceof LockFailure ? explainLock(error) : error;
  }
}

/** The path that symbolic links lead to, whether or not a file is there yet. */
function followLinks(file: string): string {
  let path = resolve(file);
  for (let links = 0; links < maxLinks; links += 1) {
    try {
      path = resolve(dirname(path), readlinkSync(path));
    } catch {
      return path;
    }
  }
  throw new ByokError("options_invalid", "The file of tokens is a link that leads to itself. Correct the path.");
}

/** The owner of the tokens is to change them too, after somebody else has. */
function shareLock(lock: string, { uid, gid }: Stats): void {
  if (statSync(lock).uid === uid) return;
  try {
    chownSync(lock, uid, gid);
    chmodSync(lock, 0o600);
  } catch {
    // Only root may. The lock is held all the same.
  }
}

function replaceFile(path: string, text: string, stats: Stats | undefined): void {
  parseTokens(text);
  const unfinished = `${path}.${randomUUID()}`;
  try {
    const file = openSync(unfinished, "wx", 0o600);
    try {
      writeFileSync(file, text);
      if (stats !== undefined) keepOwner(file, stats);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function keepOwner(file: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(file, uid, gid);
    fchmodSync(file, mode & 0o777);
  } catch {
    const message = "The file of tokens is another user's, and would become yours. Run the command as its owner.";
    throw new ByokError("options_invalid", message);
  }
}

/** Says where a file of tokens is open to others than its owner, if it is. */
export function findOpenRights(file: string): string | undefined {
  const mode = process.platform === "win32" ? 0 : (statSync(file, { throwIfNoEntry: false })?.mode ?? 0);
  if ((mode & 0o066) === 0) return undefined;
  const rights = (mode & 0o777).toString(8).padStart(3, "0");
  return `The file of tokens is open to others than its owner (mode ${rights}). Close it with: chmod 600`;
}

function explainLock({ isHeld, message }: LockFailure): ByokError {
  if (isHeld) return new ByokError("deadline_exceeded", "Other processes change the file of tokens. Try again.");
  return new ByokError("options_invalid", `The file of tokens cannot be written (${message}). Choose another place.`);
}
