import { randomUUID } from "node:crypto";
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { ByokError } from "../errors.ts";
import { type HashedToken, parseTokens } from "../http/server/bearer-tokens.ts";
import { isIdentifier } from "../identifier.ts";
import { textOf } from "./text-of.ts";

/** The longest that another process is waited for, in milliseconds, and between two looks. */
const lockMs = 5_000;
const lookMs = 20;
/** A lock that is older was left by a crash, in milliseconds: changing the file takes a few. */
const abandonedMs = 10_000;

/** Adds a token to a file, made if it is not there. Whoever reads it sees it with the token or without, never in between. */
export async function addToken(file: string, token: HashedToken): Promise<void> {
  if (!isIdentifier(token.orgId) || (token.actor !== undefined && !isIdentifier(token.actor))) {
    const message = "--org and --actor are 1 to 255 characters without control characters. Correct them.";
    throw new ByokError("options_invalid", message);
  }
  const path = existsSync(file) ? realpathSync(file) : file;
  const lock = `${path}.lock`;
  const unfinished = `${path}.${randomUUID()}`;
  await taken(lock);
  try {
    const before = existsSync(path) ? parseTokens(textOf(path, "of tokens")) : [];
    const text = `${JSON.stringify({ tokens: [...before, token] }, null, 2)}\n`;
    parseTokens(text);
    writeFileSync(unfinished, text, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
    rmSync(lock, { force: true });
  }
}

/** Makes the lock's file, which only one process can. One that a crash has left is taken over. */
async function taken(lock: string): Promise<void> {
  const endsAt = performance.now() + lockMs;
  for (;;) {
    try {
      writeFileSync(lock, "", { mode: 0o600, flag: "wx" });
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
      if (code !== "EEXIST")
        throw new ByokError("options_invalid", `The file of tokens cannot be written (${code}). Choose another place.`);
      if (performance.now() >= endsAt)
        throw new ByokError("deadline_exceeded", "Other processes change the file of tokens. Try again.");
    }
    const madeAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - madeAt > abandonedMs) rmSync(lock, { force: true });
    await pause(lookMs);
  }
}
