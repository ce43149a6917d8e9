import { beforeEach, expect, it } from "vitest";
import { ByokError, memoryStore } from "../../src/index.ts";
import { UseNotes } from "../../src/resolver/use-notes.ts";
import type { NotedUse } from "../../src/store/key-change.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

let clock: ManualClock;
let noted: string[];
/** What the store answers with; `undefined`: it takes the note. */
let failure: Error | undefined;
let gate: Promise<void> | undefined;

const store: KeyStore = Object.assign(memoryStore(), {
  noteUse: async ({ secretId, verdict }: NotedUse): Promise<boolean> => {
    noted.push(`${secretId} ${verdict}`);
    await gate;
    if (failure !== undefined) throw failure;
    return true;
  },
});
const use = (secretId: string, verdict: NotedUse["verdict"] = "invalid"): NotedUse => ({
  orgId: "org",
  provider: "openai",
  name: "default",
  secretId,
  verdict,
});

beforeEach(() => {
  clock = new ManualClock();
  noted = [];
  failure = undefined;
  gate = undefined;
});

it("a note that the store does not take is written once it does, less and less often", async () => {
  const notes = new UseNotes(clock, store);
  failure = new ByokError("store_unavailable", "Mend it.");
  notes.add(use("one"));
  await settle();
  await clock.advance(1_000);
  await clock.advance(1_999);
  expect(noted).toHaveLength(2);
  failure = undefined;
  await clock.advance(1);
  expect(noted).toHaveLength(3);
  await clock.advance(600_000);
  expect([noted.length, clock.pendingTimers]).toEqual([3, 0]);
});

it("of a key that is heard of twice meanwhile the newest word is noted", async () => {
  const notes = new UseNotes(clock, store);
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  for (const verdict of ["invalid", "exhausted", "passed"] as const) notes.add(use("one", verdict));
  await settle();
  resolve();
  await settle();
  expect(noted).toEqual(["one invalid", "one passed"]);
});

it("one that the store will never take is not written again", async () => {
  const notes = new UseNotes(clock, store);
  failure = new ByokError("store_unavailable", "The role may not do that.", { retryable: false });
  notes.add(use("one"));
  await clock.advance(600_000);
  expect([noted.length, clock.pendingTimers]).toEqual([1, 0]);
});

it("no more than a thousand wait, and none is written after the end", async () => {
  const notes = new UseNotes(clock, store);
  failure = new ByokError("store_unavailable", "Mend it.");
  for (let key = 0; key < 1_500; key += 1) notes.add(use(`key-${key}`));
  await settle();
  failure = undefined;
  await clock.advance(1_000);
  expect(noted.length).toBeLessThanOrEqual(1_001);
  failure = new ByokError("store_unavailable", "Mend it.");
  notes.add(use("last"));
  await settle();
  const { length } = noted;
  failure = undefined;
  notes.close();
  expect(clock.pendingTimers).toBe(0);
  notes.add(use("late"));
  await clock.advance(600_000);
  expect([noted.length, clock.pendingTimers]).toEqual([length, 0]);
});

it("a store that takes no notes is asked for none", async () => {
  const { noteUse: _none, ...rest } = { ...memoryStore(), noteUse: undefined };
  new UseNotes(clock, rest as unknown as KeyStore).add(use("one"));
  await settle();
  expect([noted, clock.pendingTimers]).toEqual([[], 0]);
});
