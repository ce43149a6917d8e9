import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { readDatabase } from "../../src/cli/read-database.ts";
import { readSetting } from "../../src/cli/read-setting.ts";
import { generateKeyring } from "../../src/index.ts";
import { runHere } from "./run-here.ts";

const folders: string[] = [];
let folder: string;
let env: Readonly<Record<"BYOK_KEYRING" | "BYOK_DATABASE_URL", string>>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "byokit-settings-"));
  folders.push(folder);
  env = { BYOK_KEYRING: JSON.stringify(generateKeyring()), BYOK_DATABASE_URL: join(folder, "byok.sqlite") };
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

const list = ["keys", "list", "--org", "acme"];
const tokens = (): string => {
  const path = join(folder, "tokens.json");
  writeFileSync(path, '{ "tokens": [] }', { mode: 0o600 });
  return path;
};
/** What is said of a wrong set-up: one line, of which the rest is for reading. */
const refusal = (said: string | RegExp) => ({
  code: 2,
  out: "",
  said: expect.stringMatching(
    new RegExp(`^options_invalid: [^\\n]*${said instanceof RegExp ? said.source : said}[^\\n]*\\n$`, "u"),
  ),
});

describe("a database that no variable names", () => {
  const commands = [
    list,
    ["keys", "describe", "--org", "acme"],
    ["keys", "set", "--org", "acme", "--provider", "openai"],
    ["keys", "remove", "--org", "acme", "--provider", "openai"],
    ["keys", "verify", "--org", "acme", "--provider", "openai"],
    ["migrate"],
    ["doctor"],
    ["backup", "copy.sqlite"],
    ["restore", "copy.sqlite", "--replace"],
    ["serve"],
  ];
  const losses = commands.flatMap((command) => [undefined, ""].map((lost) => [command, lost] as const));

  it.each(losses)("%j with BYOK_DATABASE_URL=%j opens none and says both forms", async (command, lost) => {
    const before = readdirSync(".");
    const more = command[0] === "serve" ? ["--tokens", tokens(), "--port", "0"] : [];
    const ended = await runHere([...command, ...more], { ...env, BYOK_DATABASE_URL: lost });
    const forms =
      /BYOK_DATABASE_URL=postgres:\/\/user:password@host:5432\/database, or BYOK_DATABASE_URL=\.\/byok\.sqlite/;
    expect(ended).toEqual(refusal(forms));
    expect(readdirSync(".")).toEqual(before);
  });

  it("is told apart from an environment that never came, by the names of what is set", async () => {
    const misspelt = { BYOK_KEYRING: env.BYOK_KEYRING, BYOK_DATABASE_URI: "postgres://u:planted-password@h/db" };
    const { said } = await runHere(list, misspelt);
    expect(said).toContain("These are set: BYOK_DATABASE_URI, BYOK_KEYRING.");
    expect(said).not.toContain("planted-password");
    expect((await runHere(["doctor"], {})).said).not.toContain("These are set");
  });
});

describe("a SQLite file that is not there", () => {
  it.each([list, ["doctor"], ["backup", "copy.sqlite"]])("%s … founds none, and names the path", async (...command) => {
    const ended = await runHere(command, env);
    expect(ended).toEqual(refusal(`BYOK_DATABASE_URL names a file that is not there .${env.BYOK_DATABASE_URL}`));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is created by migrate", async () => {
    expect(await runHere(["migrate"], env)).toMatchObject({ code: 0, said: "" });
    expect(await runHere(list, env)).toMatchObject({ code: 0, said: "" });
  });

  it.each([
    ["a folder", (at: string) => at],
    ["a folder, by its last character,", (at: string) => join(at, "data/")],
    ["a device", () => "/dev/null"],
  ])("because it is %s is named, and nothing is created", async (_what, place) => {
    for (const command of [["migrate"], list]) {
      const ended = await runHere(command, { ...env, BYOK_DATABASE_URL: place(folder) });
      expect(ended).toEqual(refusal("BYOK_DATABASE_URL names something else than a file"));
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("for want of its folder is named with its path, and no repetition mends it", async () => {
    const path = join(folder, "missing", "byok.sqlite");
    const { code, said } = await runHere(["migrate"], { ...env, BYOK_DATABASE_URL: path });
    expect([code, said]).toEqual([1, expect.stringMatching(/^store_unavailable \(BYOK_DATABASE_URL\): .*\n$/u)]);
    expect(said).toContain(path);
  });
});

describe("a database's name that was mangled", () => {
  it.each([
    '"postgres://u:planted-password@127.0.0.1:1/db"',
    "'postgres://u:planted-password@127.0.0.1:1/db'",
    " postgres://u:planted-password@127.0.0.1:1/db",
    "DATABASE_URL=postgres://u:planted-password@127.0.0.1:1/db",
    "jdbc:postgresql://127.0.0.1/db",
    "mysql://127.0.0.1/db",
    "$DATABASE_URL",
    "<your-database>",
    "./byok.sqlite ",
    "postgres:/u:planted-password@h/db",
    "postgres//u:planted-password@h/db",
    "postgres:///u:planted-password@h/db",
    "postgress://u:planted-password@h/db",
    "postgres://u:planted-password@h/dbpostgres://u:planted-password@h/db",
    "postgres://h1/dbpostgres://h2/db",
    "postgres://u:planted-password@h/db postgres://u:planted-password@h/db",
    "postgres://u:planted-password@h/db\n",
    "postgres://u:planted-password@h/\tdb",
    "postgres://u:planted%-password@h/db",
    "postgres://u:planted%zz-password@h/db",
    "postgres://u:planted%ff-password@h/db",
    "postgres://u:1/planted-password@h/db",
    "postgres://u:1?planted-password@h/db",
    "postgres://u:1#planted-password@h/db",
    "postgres://u:planted@x/password@h/db",
    "postgres://u:planted@x?password@h/db",
    "postgres://u:planted-password@h:70000/db",
    "postgres://u:planted-password@h:0/db",
    "postgres://u:planted-password@h:/five/db",
    "postgres://u:planted-password@h1,h2/db",
    "postgres://u:planted-password@/db",
    "postgres:///db",
    "postgres://",
    "postgres://u:planted-password@h/db?sslmode=sometimes",
    "postgres://u:planted-password@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
    "host=localhost password=planted-password",
    "localhost:5432/db",
    "//u:planted-password@h/db",
    "sqlite:./byok.sqlite",
    "file:./byok.sqlite",
    ":memory:",
    "postgres://u:$(PASSWORD)@h/db",
    "$(DATABASE_URL)",
    "{{ database }}",
    "%DATABASE_URL%",
    "undefined",
    "[object Object]",
    "“./byok.sqlite”",
    "./byok\u200b.sqlite",
    "./byok\u0000.sqlite",
    "export DATABASE_URL=postgres://u:planted-password@h/db",
  ])("%j is refused by the variable's name, and no password is repeated", async (given) => {
    // A command that would create nothing: without the rule it would not find the file, or ask the server.
    const ended = await runHere(["doctor"], { ...env, BYOK_DATABASE_URL: given });
    expect(ended).toEqual(refusal("BYOK_DATABASE_URL"));
    expect(ended.said).not.toMatch(/planted|names a file that is not there/u);
  });

  it.each([
    ["postgres://u:p@h/db", "postgres"],
    ["postgresql://h:5432/db?sslmode=require&application_name=byokit", "postgres"],
    ["POSTGRES://u:%40%3A%2F%23%25@[::1]:5432/db", "postgres"],
    ["postgres:///db?host=/var/run/postgresql", "postgres"],
    ["postgres://u:p@%2Fvar%2Frun/db", "postgres"],
    ["./byok.sqlite", "sqlite"],
    ["/var/lib/byok it/ключи.db", "sqlite"],
    ["C:\\byok\\byok.sqlite", "sqlite"],
    ["./a:b.sqlite", "sqlite"],
    ["data/acme@home.sqlite", "sqlite"],
  ])("%j is none", (given, kind) => {
    expect(readDatabase({ BYOK_DATABASE_URL: given })).toMatchObject({ kind });
  });
});

describe("every variable", () => {
  const variables = [
    ["BYOK_DATABASE_URL", "./byok.sqlite"],
    ["BYOK_SCHEMA", "byok"],
    ["BYOK_REDIS_URL", "redis://127.0.0.1:1"],
    ["BYOK_REDIS_PREFIX", "byok:"],
    ["BYOK_KEYRING", "./keyring.json"],
  ] as const;
  const mistakes = [
    (value: string) => `${value}\n`,
    (value: string) => `${value} `,
    (value: string) => `\t${value}`,
    (value: string) => `"${value}"`,
    (value: string) => `'${value}'`,
    (value: string) => `\ufeff${value}`,
    (value: string) => `${value}\u202e`,
    (value: string) => `NAME=${value}`,
    () => "$NAME",
    () => "null",
    () => " ",
  ];

  it.each(variables)("%s is taken as it stands", (name, value) => {
    expect([readSetting({ [name]: value }, name), readSetting({ [name]: "" }, name), readSetting({}, name)]).toEqual([
      value,
      undefined,
      undefined,
    ]);
  });

  it.each(variables)("%s that was mangled on its way ends a command, and is never repeated", async (name, value) => {
    for (const [index, mangle] of mistakes.entries()) {
      await runHere(["migrate"], env);
      const ended = await runHere(list, { ...env, BYOK_REDIS_URL: "redis://127.0.0.1:1", [name]: mangle(value) });
      expect([index, ended]).toEqual([index, refusal(name)]);
    }
  });

  it("may have around JSON what JSON allows", async () => {
    await runHere(["migrate"], env);
    const json = { BYOK_KEYRING: `\n ${env.BYOK_KEYRING}\n`, BYOK_ENDPOINTS: ' {"openai":"https://proxy.example"}\n' };
    expect(await runHere(list, { ...env, ...json })).toMatchObject({ code: 0, said: "" });
  });
});

describe("BYOK_KEYRING", () => {
  const at = (content: string | Uint8Array): string => {
    const path = join(folder, "keyring.json");
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  it.each([
    ["a folder", () => folder, "is a folder"],
    ["no file", () => join(folder, "nowhere.json"), "is not there"],
    ["an empty file", () => at(""), "is empty.*byokit keyring create"],
    ["a file of blanks", () => at(" \n"), "is empty"],
    ["a text", () => at("planted-key"), "is no JSON"],
    ["a number", () => at("7"), "it is 7.*byokit keyring create"],
    ["JSON of something else", () => at('{"tokens":["planted-key"]}'), '"cache" is missing'],
    ["a list", () => '["planted-key"]', "it is a list"],
    ["half a keyring", () => env.BYOK_KEYRING.slice(0, -9), "is no JSON"],
    ["a keyring with a byte order mark", () => at(`\ufeff${env.BYOK_KEYRING}`), "byte order mark"],
    ["a keyring in UTF-16", () => at(Buffer.from(`\ufeff${env.BYOK_KEYRING}`, "utf16le")), "not UTF-8"],
    ["a quoted path", () => `"${at(env.BYOK_KEYRING)}"`, "quotation mark"],
    ["a keyring in base64", () => Buffer.from(env.BYOK_KEYRING).toString("base64"), "ENAMETOOLONG"],
  ])("of %s is named, and nothing of it is repeated", async (_what, give, said) => {
    for (const command of [["keyring", "show"], list]) {
      const given = give();
      const ended = await runHere(command, { ...env, BYOK_KEYRING: given });
      expect(ended).toEqual(refusal(new RegExp(`BYOK_KEYRING.*${said}`, "u")));
      expect(ended.said).not.toMatch(/planted-key|A256GCMKW|eyJ/u);
    }
  });
});

describe("BYOK_ENDPOINTS", () => {
  it.each([
    ['{"nobody":"https://x.example"}', '"endpoints" names "nobody"'],
    ['{"openai":""}', 'endpoint of "openai"'],
    ['{"openai":"proxy.example"}', 'endpoint of "openai"'],
    ['{"openai":{}}', '"baseUrl" of endpoints.openai is missing'],
    ['{"openai":7}', "endpoints.openai takes an object"],
    ['{"openai":"http://proxy.example"}', 'endpoint of "openai"'],
    ['{"openai":"https://u:planted-password@proxy.example"}', 'endpoint of "openai"'],
    ['{"a\\u001b[2J":"https://x.example"}', '"endpoints" names'],
    ["https://proxy.example", "no JSON object"],
    ["null", "the word"],
    ["'{}'", "quotation mark"],
  ])("%s is refused before anything is opened", async (given, said) => {
    const ended = await runHere(list, { ...env, BYOK_ENDPOINTS: given });
    expect(ended).toEqual(refusal(new RegExp(`BYOK_ENDPOINTS.*${said}`, "u")));
    expect(ended.said).not.toContain("planted-password");
  });
});

describe("a file that others may read", () => {
  it("is warned about once, with the command that mends it, and used all the same", async () => {
    const keyring = join(folder, "key ring's.json");
    writeFileSync(keyring, env.BYOK_KEYRING);
    await runHere(["migrate"], env);
    chmodSync(keyring, 0o640);
    chmodSync(env.BYOK_DATABASE_URL, 0o604);
    const first = await runHere(list, { ...env, BYOK_KEYRING: keyring });
    const quoted = keyring.replace("'", "'\\''");
    expect([first.code, first.said]).toEqual([
      0,
      `warning: ${keyring} is open to other users (mode 0640). Run: chmod 600 '${quoted}'\n` +
        `warning: ${env.BYOK_DATABASE_URL} is open to other users (mode 0604). Run: chmod 600 ${env.BYOK_DATABASE_URL}\n`,
    ]);
    expect(await runHere(list, { ...env, BYOK_KEYRING: keyring })).toMatchObject({ code: 0, said: "" });
  });

  it("is no matter where modes mean nothing", async () => {
    const keyring = join(folder, "windows.json");
    writeFileSync(keyring, env.BYOK_KEYRING);
    const { platform } = process;
    Object.defineProperty(process, "platform", { value: "win32" });
    try {
      expect(await runHere(["keyring", "show"], { BYOK_KEYRING: keyring })).toMatchObject({ code: 0, said: "" });
    } finally {
      Object.defineProperty(process, "platform", { value: platform });
    }
  });
});

describe("byokit keyring create -o", () => {
  it("makes a file of its owner's alone, which is a keyring, and prints none of it", async () => {
    const path = join(folder, "keyring.json");
    const made = await runHere(["keyring", "create", "-o", path]);
    expect(made).toEqual({ code: 0, out: `${path} holds the new keyring. Keep a copy in a secret store.\n`, said: "" });
    expect(await runHere(["keyring", "show"], { BYOK_KEYRING: path })).toMatchObject({ code: 0, said: "" });
    expect(readdirSync(folder)).toEqual(["keyring.json"]);
  });

  it.each([
    ["a file", (at: string) => writeFileSync(at, "kept")],
    ["a folder", (at: string) => mkdirSync(at)],
  ])("never overwrites %s, and leaves nothing behind", async (_what, make) => {
    const path = join(folder, "keyring.json");
    make(path);
    expect(await runHere(["keyring", "create", "-o", path])).toEqual(
      refusal("is there already, and is not overwritten"),
    );
    expect(readdirSync(folder)).toEqual(["keyring.json"]);
  });

  it("names a folder that is missing", async () => {
    const path = join(folder, "missing", "keyring.json");
    expect(await runHere(["keyring", "create", "-o", path])).toEqual(refusal(`${path} cannot be written .ENOENT`));
  });
});
