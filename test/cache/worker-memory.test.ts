import { expect, it } from "vitest";
import type { HeldSnapshot } from "../../src/cache/held-snapshot.ts";
import { momentOf } from "../../src/cache/moment.ts";
import { WorkerMemory } from "../../src/cache/worker-memory.ts";
import type { LogPage } from "../../src/vault/key-store.ts";
import { ManualClock } from "../support/manual-clock.ts";

const clock = new ManualClock();
const page = (after: number, orgIds: readonly string[], more: Partial<LogPage> = {}): LogPage => {
  const changes = orgIds.map((orgId, index) => ({ seq: after + 1 + index, mark: `m${after + 1 + index}`, orgId }));
  const head = after + orgIds.length;
  return { incarnation: "one", head, headMark: `m${head}`, after, afterMark: `m${after}`, changes, ...more };
};
const started = (maxOrgs: number, seq = 5): WorkerMemory => {
  const memory = new WorkerMemory(clock, 10_000, maxOrgs);
  memory.learn(page(seq, []), momentOf(clock));
  return memory;
};
const held = (memory: WorkerMemory, orgId: string, snap: number): HeldSnapshot => ({
  orgId,
  snap,
  mark: `m${snap}`,
  incarnation: "one",
  generation: memory.history.generation,
  readAt: momentOf(clock),
  keys: new Map(),
});

it("takes no older snapshot than one that it has forgotten", () => {
  const memory = started(1);
  expect(memory.install(held(memory, "a", 9))).toBe(true);
  expect(memory.install(held(memory, "b", 9))).toBe(true);
  expect(memory.find("a")).toBeUndefined();
  expect(memory.install(held(memory, "a", 8))).toBe(false);
  expect(memory.install(held(memory, "a", 9))).toBe(true);
});

it("bounds its fences, and still hands out what they admit and refuses what they refuse", () => {
  const memory = started(3);
  memory.install(held(memory, "kept", 5));
  const old = held(memory, "org-0", 5);
  memory.learn(
    page(
      5,
      Array.from({ length: 50 }, (_, index) => `org-${index}`),
    ),
    momentOf(clock),
  );
  expect(memory.history.fenceCount).toBeLessThanOrEqual(6);
  const kept = memory.find("kept");
  expect(kept !== undefined && memory.mayBeHandedOut(kept)).toBe(true);
  expect(memory.install(old)).toBe(false);
});

it("drops everything with the history that it came from", () => {
  const memory = started(3);
  memory.install(held(memory, "a", 5));
  expect(memory.learn(page(5, [], { afterMark: "other" }), momentOf(clock))).toBe("other_history");
  expect(memory.size).toBe(0);
});
