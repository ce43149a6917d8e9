import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addToken, findOpenRights, removeToken, tokenId } from "../../src/cli/token-file.ts";
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

it("the tokens are one user's alone when their file is made, and keep the rights that it was given", () => {
  addToken(file, later);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(findOpenRights(file)).toBeUndefined();
  chmodSync(file, 0o640);
  addToken(file, later);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(findOpenRights(file)).toContain("640");
});

it("the tokens stay whose they were, and the lock becomes theirs, where the user may give files away", () => {
  addToken(file, later);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(file, 12_345, 23_456);
  const { uid, gid } = statSync(file);
  removeToken(file, tokenId(later));
  const [after, lock] = [statSync(file), statSync(`${file}.lock`)];
  expect([after.uid, after.gid, lock.uid, after.mode & 0o777]).toEqual([uid, gid, uid, 0o600]);
});

it("a link stays a link, though nothing is there yet, and one to itself is said", () => {
  const link = join(folder, "link.json");
  symlinkSync("tokens.json", link);
  addToken(link, later);
  addToken(link, { ...later, actor: "more" });
  expect([lstatSync(link).isSymbolicLink(), actors()]).toEqual([true, ["later", "more"]]);
  symlinkSync("round.json", join(folder, "round.json"));
  expect(() => addToken(join(folder, "round.json"), later)).toThrow(
    expect.objectContaining({ code: "options_invalid" }),
  );
});

it("a token is removed by its id, which is no part of its hash, and an id that none has removes none", () => {
  const other = { ...later, sha256: "b".repeat(64), actor: "other" };
  addToken(file, later);
  addToken(file, other);
  expect(later.sha256).not.toContain(tokenId(later));
  expect(() => removeToken(file, "000000000000")).toThrow(/byokit tokens list/u);
  expect(removeToken(file, tokenId(later))).toEqual(later);
  expect(actors()).toEqual(["other"]);
  expect(() => removeToken(join(folder, "nowhere.json"), tokenId(later))).toThrow(/ENOENT/u);
  expect(readdirSync(folder).sort()).toEqual(["tokens.json", "tokens.json.lock"]);
});
