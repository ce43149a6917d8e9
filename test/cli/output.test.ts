import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escapeText } from "../../src/cli/escape-text.ts";
import { formatLines } from "../../src/cli/format-lines.ts";
import { createKeyManager, createKeyring, generateKeyring } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { runHere } from "./run-here.ts";

const folder = mkdtempSync(join(tmpdir(), "byokit-output-"));
const json = generateKeyring("kek-1");
const env = { BYOK_KEYRING: JSON.stringify(json), BYOK_DATABASE_URL: join(folder, "byok.sqlite") };
/** Control characters cannot be stored, but these can: C1, directions of writing, a line's end, a mark that is not seen. */
const hostile = "ann\u009b31m\u202egnp.exe\u2066\u2028\u200b\ufeff\u{e0041}";

beforeAll(async () => {
  const store = sqliteStore({ path: env.BYOK_DATABASE_URL });
  await store.migrate();
  const manager = createKeyManager({ store, keyring: createKeyring(json), verify: "off" });
  await manager.set("acme", { provider: "openai", apiKey: "own-key-0123456789", actor: hostile });
  await manager.set("acme", { provider: "xai", apiKey: "own-key-0123456789", actor: "アン", region: null });
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("what is printed", () => {
  it.each([
    ["\u0000\u0007\u001b[2J\n\r\t\u007f", "\\u0000\\u0007\\u001b[2J\\u000a\\u000d\\u0009\\u007f"],
    ["\u0080\u009b\u009f", "\\u0080\\u009b\\u009f"],
    ["\u202a\u202b\u202c\u202d\u202e", "\\u202a\\u202b\\u202c\\u202d\\u202e"],
    ["\u2066\u2067\u2068\u2069\u200e\u200f\u061c", "\\u2066\\u2067\\u2068\\u2069\\u200e\\u200f\\u061c"],
    ["\u2028\u2029\ufeff\u200b\u2060", "\\u2028\\u2029\\ufeff\\u200b\\u2060"],
    ["\ud800 \u{e0001}", "\\ud800 \\udb40\\udc01"],
  ])("has %j escaped", (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
    expect(JSON.parse(`"${escapeText(text)}"`)).toBe(text);
  });

  it.each([
    "acme",
    "Ünal Ağa",
    "アクメ",
    "شركة",
    "👩‍👩‍👧",
    "e\u0301",
    "C:\\byok",
    "a\u00a0b",
    "می\u200cخواهم",
  ])("keeps %j as it is", (text) => expect(escapeText(text)).toBe(text));

  it("steers no terminal by what is stored, in a table and in JSON, which stays what it was", async () => {
    const table = await runHere(["keys", "describe", "--org", "acme"], env);
    const printed = await runHere(["keys", "describe", "--org", "acme", "--json"], env);
    for (const { code, out } of [table, printed]) {
      expect([code, out]).toEqual([
        0,
        expect.stringContaining("ann\\u009b31m\\u202egnp.exe\\u2066\\u2028\\u200b\\ufeff"),
      ]);
      expect(escapeText(out.replaceAll("\n", " "))).toBe(out.replaceAll("\n", " "));
    }
    expect(JSON.parse(printed.out).keys[0].createdBy).toBe(hostile);
  });

  it("steers no terminal by what a variable holds", async () => {
    const path = join(folder, "nowhere\u009b2J");
    for (const BYOK_DATABASE_URL of [path, `${folder}/no\u202e/x`]) {
      const { said } = await runHere(["doctor"], { ...env, BYOK_DATABASE_URL });
      expect(said).toMatch(/^options_invalid: [^\p{Cc}\u202e]+\n$/u);
    }
    const { said } = await runHere(["doctor"], { ...env, BYOK_DATABASE_URL: "", "BYOK_\u001b[2J": "x" } as object);
    expect(said).toMatch(/^options_invalid: [^\p{Cc}]+\n$/u);
  });
});

describe("a table", () => {
  it("has its columns aligned under their names, whatever the width of its characters, and no blanks at the end", () => {
    const rows = [
      ["name", "by", "note"],
      ["openai", "アン", null],
      ["x", "👩‍👩‍👧", "  "],
      ["e\u0301e\u0301", null, "end"],
    ];
    expect(formatLines(rows)).toEqual([
      "name    by    note",
      "openai  アン  -",
      "x       👩‍👩‍👧",
      "e\u0301e\u0301      -     end",
    ]);
  });

  it("keeps a line of text beside it apart from its columns", () => {
    expect(formatLines([["A long line of text, before a table."], ["a", "b"], ["1", "2"]])).toEqual([
      "A long line of text, before a table.",
      "a  b",
      "1  2",
    ]);
  });

  it.each([
    [["keys", "list", "--org", "acme"], "reference +secret"],
    [["keys", "describe", "--org", "acme"], "provider +status +hint +region +organization +project +kid +created +by"],
    [["keyring", "show"], "ring +kid +use"],
    [
      ["keys", "remove", "--org", "acme", "--provider", "resend"],
      "change +provider said +workers told +effective within",
    ],
  ])("of %j names its columns first", async (command, names) => {
    const { code, out } = await runHere(command, env);
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^${names}\n`, "u"))]);
    expect(out).not.toMatch(/[\t ]\n/u);
  });
});

describe("help", () => {
  it("of every command has an example", async () => {
    const { createProgram } = await import("../../src/cli/program.ts");
    const visit = (command: ReturnType<typeof createProgram>, path: readonly string[]): string[][] => [
      [...path],
      ...command.commands.flatMap((one) => visit(one as typeof command, [...path, one.name()])),
    ];
    const paths = visit(createProgram({}), []);
    expect(paths.length).toBeGreaterThan(15);
    for (const path of paths) {
      const { code, out, said } = await runHere([...path, "--help"]);
      expect([path, code, said, out]).toEqual([path, 0, "", expect.stringMatching(/\nExample:\n {2}\S/u)]);
    }
  });

  it.each([
    [],
    ["keys"],
    ["keyring"],
    ["tokens"],
  ])("is shown on standard error, with 2, for want of a command: byokit %s", async (...given) => {
    const { code, out, said } = await runHere(given);
    expect([code, out, said]).toEqual([2, "", expect.stringContaining("Usage: byokit")]);
  });
});
