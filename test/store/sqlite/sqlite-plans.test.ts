import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { composeContradictionsSql } from "../../../src/store/rows/contradiction.ts";
import * as statements from "../../../src/store/sqlite/sqlite-statements.ts";
import { sqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

const folder = mkdtempSync(join(tmpdir(), "byokit-plans-"));
const path = join(folder, "byok.sqlite");
let database: DatabaseSync;

beforeAll(async () => {
  const store = sqliteStore({ path });
  await store.migrate();
  await store.close();
  database = new DatabaseSync(path);
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const stepsOf = (sql: string): string[] =>
  (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { readonly detail: string }[]).map(({ detail }) => detail);

/** Of a page and no more; and of the log's first twenty rows, in their order, where pruning begins. */
const bounded = new Set([
  "pollSql: SCAN log LEFT-JOIN",
  "pollSql: USE TEMP B-TREE FOR ORDER BY",
  "pruneSql: SCAN byok_log",
]);

it.each(Object.entries(statements))("searches by an index, and sorts nothing: %s", (name, sql) => {
  const wasteful = /SCAN (?:byok_(?:secret|log|audit|place|org)|secret|log)\b|TEMP B-TREE|AUTOMATIC/u;
  const found = stepsOf(sql).filter((step) => wasteful.test(step) && !bounded.has(`${name}: ${step}`));
  expect(found).toEqual([]);
});

it("goes through keys and trail once each to find what contradicts itself, and searches the other by an index", () => {
  const steps = stepsOf(composeContradictionsSql("", "?"));
  const scans = steps.filter((step) => /^SCAN (?:byok_audit|secret|trail)\b/u.test(step));
  expect(scans.map((step) => step.split(" ")[1])).toEqual(["byok_audit", "secret", "trail"]);
  expect(steps.filter((step) => /^SEARCH (?:trail|secret) USING .*(?:INDEX|PRIMARY KEY)/u.test(step))).toHaveLength(2);
});

it("sorts a page of the log, and not what follows it in the log", () => {
  expect(stepsOf(statements.pollSql)).toEqual(
    expect.arrayContaining(["MATERIALIZE log", "SEARCH byok_log USING INTEGER PRIMARY KEY (rowid>?)"]),
  );
});
