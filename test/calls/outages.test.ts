import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type OwnStore, ownPostgresStore } from "../support/stores.ts";
import { cellOf } from "./cells.ts";
import { withoutDatabase, withoutRedis } from "./outages.ts";
import { loadSdks, ways } from "./ways.ts";

let database: OwnStore;

beforeAll(async () => {
  await loadSdks();
  database = await ownPostgresStore();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

describe.each(ways)("a call of ten turns, by $name,", (way) => {
  it("whose database is gone from turn 3 to turn 6 goes on with its key", async () => {
    expect(await withoutDatabase(way, database)).toEqual(cellOf("the database is gone", way)?.between);
  });

  it("whose Redis is gone from turn 3 to turn 6 hears of another key by a poll", async () => {
    const cell = cellOf("Redis is gone, and the key is replaced", way)?.between;
    expect(await withoutRedis(way, inject("redisUrl"))).toEqual(cell);
  });
});
