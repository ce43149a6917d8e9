import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startProviderDoubles } from "../../src/testing/index.ts";
import { useBuiltPackage } from "../support/built-package.ts";
import { readDocument } from "../support/documents.ts";

const built = useBuiltPackage();
const folder = mkdtempSync(join(tmpdir(), "byokit-commands-"));

afterAll(() => rmSync(folder, { recursive: true }));

it("the commands of docs/command-line.md do what they say, up to the server", async () => {
  const section = readDocument("docs/command-line.md");
  const lines = (/^```sh\n(?<code>.*?)^```$/msu.exec(section)?.groups?.["code"] ?? "").split("\n");
  expect(lines.findIndex((line) => line.startsWith("npx byokit serve"))).toBe(lines.length - 2);
  const commands = lines.slice(0, -2).map((line) => line.replace("npx byokit", `"$NODE" ${built()}/cli/main.js`));
  await using doubles = await startProviderDoubles({ keys: { openai: ["own-key-0123456789"] } });
  writeFileSync(join(folder, "openai-key.txt"), "own-key-0123456789\n");
  const env = { PATH: process.env["PATH"], NODE: process.execPath, BYOK_ENDPOINTS: JSON.stringify(doubles.endpoints) };
  const [code, out, said] = await new Promise<readonly [unknown, string, string]>((done) => {
    const options = { cwd: folder, env };
    execFile("sh", ["-e", "-c", commands.join("\n")], options, (error, ...printed) =>
      done([error?.code ?? 0, ...printed]),
    );
  });
  expect([code, said]).toEqual([0, ""]);
  expect(out).toMatch(
    /^keyring\.json holds .*\nThe schema .*\nchange .*\n1 +passed +no .*\nreference +secret\n(?:.*\n)*[\w-]{43}\nid .*\n.*\n$/u,
  );
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(["byok.sqlite", "keyring.json", "tokens.json"]));
});
