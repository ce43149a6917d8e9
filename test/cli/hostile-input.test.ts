import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { generateKeyring } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { runHere } from "./run-here.ts";

/** Part of every secret below. */
const planted = "AbCdEfGhIjKlMnOp";
const folder = mkdtempSync(join(tmpdir(), "byokit-hostile-"));
const path = join(folder, "byok.sqlite");
await sqliteStore({ path }).migrate();
const keyring = JSON.stringify(generateKeyring());

afterAll(() => rmSync(folder, { recursive: true }));

const characters = fc.constantFrom(
  ..."@:/?#%&=\"'`$({[ \n\r\t\u0000\u001b\u007f\u009b\u202e\u2028\ufeff\ud800é字👩",
  "%zz",
  "$(A)",
  "--",
  "\\",
);
const noise = fc.array(characters, { maxLength: 3 }).map((parts) => parts.join(""));
/** A text with noise at its ends and in its middle. */
const spoilt = (text: string) =>
  fc
    .tuple(noise, fc.nat({ max: text.length }), noise, noise)
    .map(([before, at, within, after]) => [before, text.slice(0, at), within, text.slice(at), after].join(""));
/** Nothing is asked but this machine, and nothing is created: the folder is not there. */
const databases = fc.oneof(
  fc.constantFrom(path, path, undefined, ""),
  spoilt(`u:${planted}`).map((user) => `postgres://${user}@127.0.0.1:1/db`),
  spoilt(planted).map((name) => `postgres://u:p@127.0.0.1:1/${name}`),
  noise.map((name) => `${folder}/missing/x${name.replaceAll("..", "")}`),
);
const environments = fc.record({
  BYOK_DATABASE_URL: databases,
  BYOK_KEYRING: fc.oneof(
    fc.constant(keyring),
    fc.constant(keyring),
    spoilt(keyring),
    spoilt(`${folder}/${planted}.json`),
    noise,
  ),
  BYOK_ENDPOINTS: fc.oneof(fc.constant(undefined), spoilt(`{"openai":"https://u:${planted}@h.example"}`)),
  BYOK_SCHEMA: fc.oneof(fc.constant(undefined), spoilt("byok")),
  BYOK_REDIS_URL: fc.oneof(
    fc.constant(undefined),
    spoilt(planted).map((password) => `http://u:${password}@127.0.0.1:1`),
  ),
  BYOK_REDIS_PREFIX: fc.oneof(fc.constant(undefined), spoilt("byok:")),
});
const missing = join(folder, "missing", "copy.sqlite");
const commands = fc.constantFrom(
  ["keys", "list"],
  ["keys", "list", "--org", "acme"],
  ["keys", "describe", "--org", "acme"],
  ["keys", "verify", "--org", "acme", "--provider", "openai"],
  ["keys", "remove", "--org", "acme", "--provider", "xai"],
  ["keyring", "show"],
  ["doctor"],
  ["migrate", "--print"],
  ["backup", missing],
  ["restore", missing],
  ["serve"],
  [],
);
const given = fc.oneof(
  fc.constantFrom("--org", "acme", "--provider", "openai", "--json", "--help", "--seen", "--tokens", "--port", "--"),
  spoilt(`sk-${planted}`),
  spoilt(`--key=sk-${planted}`),
  noise,
);
it("no argument and no variable makes a command print a key, a stack or what steers a terminal, or end in another way", async () => {
  await fc.assert(
    fc.asyncProperty(
      commands,
      fc.oneof(fc.constant([]), fc.array(given, { maxLength: 4 })),
      environments,
      async (command, more, env) => {
        const { code, out, said } = await runHere([...command, ...more], env);
        expect([0, 1, 2, 75]).toContain(code);
        expect(`${out}${said}`).not.toContain(planted);
        expect(said).not.toMatch(/\n\s+at |byokit failed/u);
        expect(said.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u2028\u202e\ufeff]/u);
        if (code === 0 || said.startsWith("Usage:")) return;
        expect([said, out].filter((text) => text !== "")).not.toEqual([]);
        expect(said.split("\n").filter((line) => line !== "" && !line.startsWith("warning: ")).length).toBeLessThan(2);
      },
    ),
    { numRuns: Number(process.env["BYOKIT_FUZZ_COMMANDS"] ?? 200) },
  );
}, 300_000);
