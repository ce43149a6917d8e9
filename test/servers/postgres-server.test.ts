import { chmodSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findPackagedPrograms, findPrograms } from "./postgres-programs.ts";
import { ownPostgresServer } from "./postgres-server.ts";

const createFolder = (mode: number): string => {
  const folder = mkdtempSync(join(tmpdir(), "byokit-servers-"));
  chmodSync(folder, mode);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

it("a server that cannot start says its own last lines", async () => {
  const folder = createFolder(0o700);
  writeFileSync(join(folder, "PG_VERSION"), "7\n");
  await expect(ownPostgresServer(folder)).rejects.toThrow(/It said:[\s\S]*postgres: /u);
});

it("programs in a private folder are copied where the server's user can reach them, and no others", () => {
  const user = { uid: 65_534, gid: 65_534 };
  const hidden = createFolder(0o700);
  const open = createFolder(0o755);
  cpSync(join(findPackagedPrograms(), "bin"), join(hidden, "native", "bin"), { recursive: true });
  const programs = findPrograms(user, open, join(hidden, "native"));
  expect(programs).toBe(join(open, "postgres", "bin"));
  expect(statSync(join(programs, "initdb")).mode & 0o555).toBe(0o555);
  chmodSync(hidden, 0o755);
  expect(findPrograms(user, open, join(hidden, "native"))).toBe(join(hidden, "native", "bin"));
  chmodSync(hidden, 0o700);
  expect(findPrograms(undefined, open, join(hidden, "native"))).toBe(join(hidden, "native", "bin"));
});
