import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { caught } from "../support/caught.ts";
import { agent, type Platform, platform } from "../support/worker.ts";

let folder: string;
let database: DatabaseSync;
let here: Platform;

const sealedOf = (orgId: string): string =>
  String(database.prepare("SELECT sealed FROM byok_secret WHERE org_id = ?").get(orgId)?.["sealed"]);
const put = (orgId: string, sealed: string): void =>
  void database.prepare("UPDATE byok_secret SET sealed = ? WHERE org_id = ?").run(sealed, orgId);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "byokit-tampered-"));
  const path = join(folder, "byok.sqlite");
  const store = sqliteStore({ path });
  await store.migrate();
  here = await platform(store);
  for (const org of ["a", "b"]) await here.manager.set(org, { provider: "ada", apiKey: `key-of-${org}` });
  database = new DatabaseSync(path);
});
afterEach(async () => {
  database.close();
  await here.store.close();
  rmSync(folder, { recursive: true });
});

const edits: readonly (readonly [string, () => Promise<void>])[] = [
  [
    "two organisations' sealed keys are swapped",
    async () => {
      const [a, b] = [sealedOf("a"), sealedOf("b")];
      put("a", b);
      put("b", a);
    },
  ],
  [
    "one byte is edited",
    async () => {
      const sealed = sealedOf("a");
      const at = Math.floor(sealed.length / 2);
      put("a", `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`);
    },
  ],
  [
    "an older key is replayed under the new secret's id",
    async () => {
      const older = sealedOf("a");
      await here.manager.set("a", { provider: "ada", apiKey: "newer-key-of-a" });
      put("a", older);
    },
  ],
  [
    "a key is moved to another region",
    async () => void database.prepare("UPDATE byok_secret SET region = 'eu' WHERE org_id = 'a'").run(),
  ],
  [
    "a key is pointed at another account",
    async () => void database.prepare("UPDATE byok_secret SET organization = 'org-x' WHERE org_id = 'a'").run(),
  ],
];

it.each(edits)("when %s, it does not open, and nobody else's key takes its place", async (_name, edit) => {
  await edit();
  await using worker = here.worker({ platformKeys: { ada: "platform-ada", bob: "platform-bob" } });
  const error = await caught(worker.resolver.resolve("a", agent));
  expect(error).toMatchObject({ code: "key_undecryptable", retryable: false, failures: [{ slot: "llm" }] });
  expect(worker.events).toContainEqual(expect.objectContaining({ type: "key_unusable", reason: "undecryptable" }));
});

it("when the sealed key is gone but its row is there, it does not open", async () => {
  put("a", "");
  await using worker = here.worker();
  expect((await caught(worker.resolver.resolve("a", agent))).code).toBe("key_undecryptable");
});
