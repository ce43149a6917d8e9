import { createHash } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { watchTokens } from "../../src/cli/token-watch.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
let file: string;
let said: string[];

const textOf = (...tokens: readonly string[]): string =>
  JSON.stringify({
    tokens: tokens.map((token) => {
      const sha256 = createHash("sha256").update(token).digest("hex");
      return { sha256, orgId: `org-of-${token}`, canWrite: true };
    }),
  });
const watch = () => {
  const logger = {
    info: (_fields: object, message: string) => void said.push(message),
    error: (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`),
  };
  const tokens = watchTokens(file, logger);
  const orgOf = async (token: string) =>
    (await tokens.authenticate(new Request("http://x", { headers: { authorization: `Bearer ${token}` } })))?.orgId;
  return { tokens, orgOf, [Symbol.dispose]: () => tokens[Symbol.dispose]() };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "byokit-watch-"));
  file = join(folder, "tokens.json");
  writeFileSync(file, textOf("one"));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

it("a token that is added is taken, and one that is removed refused, while the file is watched", async () => {
  using here = watch();
  expect([await here.orgOf("one"), await here.orgOf("two")]).toEqual(["org-of-one", undefined]);
  writeFileSync(file, textOf("two"));
  await waitFor(async () =>
    expect([await here.orgOf("one"), await here.orgOf("two")]).toEqual([undefined, "org-of-two"]),
  );
  expect(said).toEqual(["tokens read"]);
});

it("a change that leaves the file's size and times as they were is noticed, and one file in another's place", async () => {
  using here = watch();
  const { atime, mtime } = statSync(file);
  writeFileSync(file, textOf("two"));
  utimesSync(file, atime, mtime);
  await waitFor(async () => expect(await here.orgOf("one")).toBeUndefined());
  writeFileSync(join(folder, "next.json"), textOf("six"));
  renameSync(join(folder, "next.json"), file);
  await waitFor(async () => expect(await here.orgOf("six")).toBe("org-of-six"));
});

it.each([
  ["half written", () => writeFileSync(file, textOf("two").slice(0, -3))],
  ["empty", () => writeFileSync(file, "")],
  ["malformed", () => writeFileSync(file, '{"tokens":[{"sha256":"short"}]}')],
  ["gone", () => rmSync(file)],
  [
    "a folder",
    () => {
      rmSync(file);
      renameSync(mkdtempSync(join(folder, "x")), file);
    },
  ],
])("a file that is %s leaves the last good tokens in force, is said once, and is read again when it is mended", async (_name, breakFile) => {
  using here = watch();
  breakFile();
  await waitFor(() => expect(said).toHaveLength(1));
  expect(said[0]).toMatch(/^tokens kept as they were /u);
  expect(await here.orgOf("one")).toBe("org-of-one");
  rmSync(file, { recursive: true, force: true });
  writeFileSync(join(folder, "next.json"), textOf("two"));
  renameSync(join(folder, "next.json"), file);
  await here.tokens.reread();
  expect([await here.orgOf("one"), await here.orgOf("two")]).toEqual([undefined, "org-of-two"]);
  expect(said.at(-1)).toBe("tokens read");
});

it("what is asked to be read is read at once, however often, and says so", async () => {
  using here = watch();
  writeFileSync(file, textOf("two"));
  await Promise.all(Array.from({ length: 20 }, () => here.tokens.reread()));
  expect(await here.orgOf("two")).toBe("org-of-two");
  expect(said.length).toBeLessThanOrEqual(3);
  await here.tokens.reread();
  expect(said.at(-1)).toBe("tokens read");
});
