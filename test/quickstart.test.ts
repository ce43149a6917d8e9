import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { blocksOf, readDocument } from "./support/documents.ts";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};
const readme = readDocument("README.md");
const folder = mkdtempSync(join(tmpdir(), "byokit-quickstart-"));

afterAll(() => rmSync(folder, { recursive: true }));

/** Packs what would be published, without what was built here last. */
async function packInto(place: string): Promise<void> {
  const staged = join(folder, "staged");
  mkdirSync(staged);
  for (const name of ["package.json", "tsconfig.json", "README.md", ...manifest.files]) {
    if (name !== "dist") cpSync(join(root, name), join(staged, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(staged, "node_modules"));
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", staged]);
  const { stdout } = await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    cwd: staged,
  });
  mkdirSync(place, { recursive: true });
  await run("tar", ["-xzf", join(folder, stdout.trim()), "-C", place, "--strip-components=1"]);
}

it("the quickstart of the README runs as it is printed, in an empty folder on the packed package", async () => {
  const empty = join(folder, "empty");
  await packInto(join(empty, "node_modules/byokit"));
  // In the place of a registry: the packages that npm would install beside it.
  for (const name of [...Object.keys(manifest.dependencies), "openai", "ws"]) {
    const place = join(empty, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", name), place);
  }
  const [program = ""] = blocksOf(readme, "js");
  const [printed] = blocksOf(readme, "text");
  writeFileSync(join(empty, "quickstart.mjs"), program);
  for (const time of ["first", "second"]) {
    const { stdout } = await run(process.execPath, ["quickstart.mjs"], {
      cwd: empty,
      env: { PATH: process.env["PATH"] },
    });
    expect([time, stdout]).toEqual([time, printed]);
  }
  expect(readdirSync(empty)).toEqual(expect.arrayContaining(["byok.sqlite", "keyring.json"]));
  const map = readFileSync(join(empty, "node_modules/byokit/dist/resolver/create-resolver.d.ts.map"), "utf8");
  const [source = ""] = (JSON.parse(map) as { sources: string[] }).sources;
  const shipped = readFileSync(join(empty, "node_modules/byokit/dist/resolver", source), "utf8");
  expect(shipped, "Go to definition ends in the source.").toContain("export function createResolver");
}, 120_000);

it("the README names the versions that package.json takes", () => {
  for (const [name, range] of Object.entries(manifest.peerDependencies)) {
    expect(readme).toContain(`| \`${name}\` | \`${range}\` |`);
  }
});

it("the README says in its first line what its keys are, and is short", () => {
  expect(readme.split("\n").find((line) => /^\w/u.test(line))).toContain("provider keys");
  expect(readme.split("\n").length).toBeLessThanOrEqual(181);
});
