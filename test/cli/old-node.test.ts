import { execFile } from "node:child_process";
import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { complainOfNode } from "../../src/cli/complain-of-node.ts";
import { printWarnings } from "../../src/cli/print-warnings.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "byokit-node-"));
/** What an old Node parses before it is told that it is too old. */
const entry = ["main.ts", "complain-of-node.ts", "print-warnings.ts"].map((name) => {
  const text = readFileSync(join(root, "src/cli", name), "utf8");
  return [name.replace(".ts", ".js"), stripTypeScriptTypes(text).replaceAll(/(?<=\.\/[\w-]+)\.ts"/gu, '.js"')] as const;
});

afterAll(() => rmSync(folder, { recursive: true }));

it.each(["12.22.12", "18.20.8", "20.20.2", "22.0.0", "22.12.9"])("Node %s is too old", (version) => {
  expect(complainOfNode(version)).toBe(
    `byokit needs Node 22.13 or newer, and this is ${version}. Install a newer one: https://nodejs.org`,
  );
});

it.each([
  "22.13.0",
  "22.22.1",
  "23.0.0",
  "24.21.0",
  "100.0.0",
  "24.0.0-nightly",
])("Node %s is new enough", (version) => {
  expect(complainOfNode(version)).toBeUndefined();
});

it("the oldest release is the one of package.json", () => {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const oldest = String(engines.node).replace(">=", "");
  expect(complainOfNode("1.0.0")).toContain(`Node ${oldest} or newer`);
  expect(complainOfNode(`${oldest}.0`)).toBeUndefined();
});

it("what an old Node reads first has nothing in it that came after Node 12", () => {
  for (const [name, code] of entry) {
    expect(code, name).not.toMatch(/\?\.|\?\?|&&=|\|\|=|\bawait\b|#[a-z]|\.at\(|replaceAll|import .* from "(?!\.\/)/u);
  }
  const imported = entry.flatMap(([, code]) => [...code.matchAll(/^import .* from "\.\/(?<name>[^"]+)"/gmu)]);
  for (const { groups } of imported) expect(entry.map(([name]) => name)).toContain(groups?.["name"]);
});

const run = (node: string, arguments_: readonly string[]): Promise<readonly [code: unknown, said: string]> =>
  new Promise((done) => {
    execFile(node, arguments_, { cwd: folder }, (error, out, said) => done([error?.code ?? 0, out + said]));
  });

it("a Node that is too old gets one line and ends with 1", async () => {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [name, code] of entry) writeFileSync(join(folder, name), code);
  writeFileSync(join(folder, "old.cjs"), 'Object.defineProperty(process.versions, "node", { value: "20.20.2" });');
  const oneLine = [1, expect.stringMatching(/^byokit needs Node 22\.13 or newer, and this is [\d.]+\. .*\n$/u)];
  expect(await run(process.execPath, ["--require", "./old.cjs", "main.js", "keys", "list"])).toEqual(oneLine);
  const installed = (process.env["PATH"] ?? "").split(delimiter).map((place) => join(place, "node"));
  for (const node of installed.filter((path) => existsSync(path))) {
    const [, version] = await run(node, ["-p", "process.versions.node"]);
    if (complainOfNode(version) !== undefined) expect(await run(node, ["main.js", "keys"])).toEqual(oneLine);
  }
});

it("a warning is one line, and that SQLite is experimental is none", () => {
  const said: string[] = [];
  const fake = Object.assign(new EventEmitter(), { stderr: { write: (line: string) => said.push(line) } });
  printWarnings(fake as unknown as NodeJS.Process);
  fake.emit("warning", new Error("Silenced by the user."));
  fake.on("warning", () => said.push("The stack of Node's own."));
  printWarnings(fake as unknown as NodeJS.Process);
  fake.emit("warning", Object.assign(new Error("SQLite is experimental"), { name: "ExperimentalWarning" }));
  fake.emit("warning", new Error("One thing.\n  Another."));
  expect(said).toEqual(["warning: One thing. Another.\n"]);
});
