import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addToken } from "../../src/cli/token-file.ts";
import { parseTokens } from "../../src/http/index.ts";

const holder = resolve(import.meta.dirname, "token-holder.ts");
const later = { sha256: "a".repeat(64), orgId: "acme", actor: "later", canWrite: true };
let folder: string;
let file: string;

type Process = ChildProcessByStdio<Writable, Readable, null>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "byokit-tokens-"));
  file = join(folder, "tokens.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that has said that it holds the lock, or that it is ready to add. */
const start = async (...arguments_: readonly string[]): Promise<Process> => {
  const child = spawn(process.execPath, [holder, ...arguments_], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
};
const goOn = (child: Process): void => void child.stdin.write("x");
const exitOf = async (child: Process): Promise<unknown> => (await once(child, "exit"))[0];
const actors = (): (string | undefined)[] => parseTokens(readFileSync(file, "utf8")).map(({ actor }) => actor);

it("of processes that wait for a lock whose owner is killed, none loses a change of another, in any round", async () => {
  const names = ["a", "b", "c", "d"];
  const racers = await Promise.all(names.map((name) => start("add", file, name)));
  for (const racer of racers) racer.setMaxListeners(100);
  const expected: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    const killed = await start("hold", file, "killed");
    utimesSync(`${file}.lock`, 0, 0);
    const done = racers.map((racer) => Promise.race([once(racer.stdout, "data"), once(racer, "exit")]));
    for (const racer of racers) goOn(racer);
    killed.kill("SIGKILL");
    await Promise.all(done);
    expected.push(...names.flatMap((name) => [0, 1, 2].map((at) => `${name}-${round}-${at}`)));
    expect(actors().sort()).toEqual(expected.toSorted());
  }
  const exits = racers.map(exitOf);
  for (const racer of racers) racer.stdin.end();
  expect(await Promise.all(exits)).toEqual([0, 0, 0, 0]);
}, 120_000);

it("an owner that is only slow keeps its lock, however old that looks: others wait, or are told to try again", async () => {
  const slow = await start("hold", file, "slow");
  utimesSync(`${file}.lock`, 0, 0);
  expect(() => addToken(file, later)).toThrow(expect.objectContaining({ code: "deadline_exceeded" }));
  const exit = exitOf(slow);
  goOn(slow);
  addToken(file, later);
  expect(await exit).toBe(0);
  expect(actors()).toEqual(["slow", "later"]);
});

it("a lock's file is empty, only its owner's to read, and all that is left beside the tokens", () => {
  addToken(file, later);
  expect(readdirSync(folder).sort()).toEqual(["tokens.json", "tokens.json.lock"]);
  expect([statSync(`${file}.lock`).size, statSync(`${file}.lock`).mode & 0o777]).toEqual([0, 0o600]);
});

it("a lock's file that is another program's is left as it is, and said", () => {
  writeFileSync(`${file}.lock`, "somebody's own");
  expect(() => addToken(file, later)).toThrow(expect.objectContaining({ code: "options_invalid" }));
  expect(() => addToken(join(folder, "nowhere", "tokens.json"), later)).toThrow(/ENOENT/u);
  expect(readFileSync(`${file}.lock`, "utf8")).toBe("somebody's own");
  expect(readdirSync(folder)).toEqual(["tokens.json.lock"]);
});
