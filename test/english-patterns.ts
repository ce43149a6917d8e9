/**
 * Says where something that people read (documents, comments, messages, help texts) has a phrase that reads as translated.
 * Tests are not searched.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** What not to write, and what to write in its place. */
const patterns: readonly (readonly [pattern: string, instead: string])[] = [
  ["\\bof before\\b", "the previous, the earlier"],
  ["\\balso when\\b", "even when, or a sentence of its own"],
  ["\\bsays whether\\b", "returns true if"],
  ["\\bhears? of\\b", "learns of"],
  ["\\bwhoever\\b", "anyone who, or the caller, the reader, the process"],
  ["\\bnobody\\b(?! else)", "no one, no caller, or the passive"],
  ["\\basks? (?:the|a|its) provider for (?:the|a) stored key\\b", "checks the stored key with its provider"],
];
const places = ["*.md", "src", "examples", "bench", ".github"];

let found = 0;
for (const [pattern, instead] of patterns) {
  // By git, which knows what belongs to the project.
  const { status, stdout, stderr } = spawnSync("git", ["grep", "-nIiP", "-e", pattern, "--", ...places], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0 && status !== 1) throw new Error(`git grep failed: ${stderr}`);
  for (const line of stdout.split("\n").filter(Boolean)) {
    found += 1;
    process.stderr.write(`${line.trim()}\n  write instead: ${instead}\n`);
  }
}
process.exitCode = found === 0 ? 0 : 1;
