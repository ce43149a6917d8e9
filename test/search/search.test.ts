import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allGuards } from "../guards/all-guards.ts";
import { stepsOf } from "../model/run-model.ts";
import { faultKinds, swarmOf } from "../model/swarm.ts";
import { intersect } from "./branches.ts";
import { mutants, unseen } from "./mutants.ts";
import { readSearchOptions } from "./search-options.ts";
import { describeSearch } from "./search-report.ts";
import { SearchRun } from "./search-run.ts";
import { addBatch, addSchedule, beginState, readState, type SearchState, writeState } from "./search-state.ts";
import { serverFaults, serverSwarmOf } from "./swarm-of-servers.ts";

const folder = mkdtempSync(join(tmpdir(), "byokit-search-"));
const file = join(folder, "state.json");
afterAll(() => rmSync(folder, { recursive: true }));

const seeds = Array.from({ length: 2_000 }, (_, seed) => seed);
const violation = { kind: "model", seed: 77, what: ["older than a known change, a: key-1-of-a"] } as const;
const nothing = { seen: {}, faults: {}, pairs: {} };
const batch = {
  ...{
    schedules: 64,
    resolves: 2_000,
    steps: 12_000,
    seen: { reset: 3 },
    faults: { stop: 5 },
    pairs: { "flush + stop": 2 },
  },
  violations: [violation],
  unreached: { "src/coherence/history.ts": { hash: "one", ranges: [[10, 20]] as const } },
};

describe("a swarm configuration", () => {
  it("is a function of its seed, and so are the steps under it", () => {
    for (const seed of seeds.slice(0, 100)) {
      expect(swarmOf(seed)).toEqual(swarmOf(seed));
      expect(stepsOf(swarmOf(seed))).toEqual(stepsOf(swarmOf(seed)));
      expect(serverSwarmOf(seed)).toEqual(serverSwarmOf(seed));
    }
    expect(new Set(seeds.map((seed) => JSON.stringify({ ...swarmOf(seed), seed: 0 }))).size).toBeGreaterThan(1_980);
  });

  it("has each fault in some of the seeds and not in others, and never a clock that jumps on a suspended machine", () => {
    const swarms = seeds.map(swarmOf);
    for (const fault of faultKinds) {
      const having = swarms.filter(({ weights }) => weights[fault] !== undefined).length;
      expect(having, fault).toBeGreaterThan(50);
      expect(having, fault).toBeLessThan(1_600);
    }
    const both = swarms.filter(({ weights: { jump = 0, suspend = 0, setBack = 0 } }) => jump * (suspend + setBack) > 0);
    expect(both).toEqual([]);
    const onServers = seeds.flatMap((seed) => serverSwarmOf(seed).faults);
    expect([...new Set(onServers)].sort()).toEqual([...serverFaults].sort());
  });
});

describe("the state of a search", () => {
  it("is read back as it was written, and counts go on", () => {
    const state = beginState(7);
    addBatch(state, batch);
    addSchedule(state, 7, {
      ...nothing,
      happened: ["cut"],
      resolves: 900,
      healedMs: 40,
      violations: ["a call never ended"],
    });
    writeState(file, state);
    const again = readState(file);
    expect(again).toEqual(state);
    addBatch(again, { ...batch, violations: [] });
    expect(again.model).toMatchObject({
      schedules: 128,
      resolves: 4_000,
      seen: { reset: 6 },
      pairs: { "flush + stop": 4 },
    });
    expect(again.violations).toHaveLength(2);
  });

  it("stays small, however many violations and schedules there are", () => {
    const state: SearchState = beginState(7);
    for (let at = 0; at < 3_000; at += 1) {
      addBatch(state, batch);
      addSchedule(state, at, { ...nothing, happened: [], resolves: 1, healedMs: 1, violations: [] });
    }
    addBatch(state, { ...batch, violations: [{ ...violation, seed: 78 }] });
    expect(state.violations).toHaveLength(100);
    expect(state.violations.at(-1)?.seed).toBe(78);
    expect(state.servers.healedMs).toHaveLength(1_000);
    expect(JSON.stringify(state).length).toBeLessThan(100_000);
  });

  it("that is none, or another version's, is refused by the next step", () => {
    expect(() => readState(join(folder, "absent.json"))).toThrow("Begin one without --resume.");
    for (const text of ["", "{", "[]", '{"version":2}']) {
      writeFileSync(file, text);
      expect(() => readState(file)).toThrow("Begin one without --resume.");
    }
  });

  it("says of each violation its configuration and the command that plays it again", () => {
    const state = beginState(7);
    addBatch(state, batch);
    const text = describeSearch(state).join("\n");
    expect(text).toContain("older than a known change");
    expect(text).toContain(JSON.stringify(swarmOf(77).weights));
    expect(text).toContain("npm run search -- --replay model:77");
    expect(text).toContain("states of the model: 1 of");
  });
});

it("a branch counts as never reached while no process has reached it, and anew when its file has changed", () => {
  const older = {
    "a.ts": {
      hash: "one",
      ranges: [
        [0, 10],
        [20, 30],
      ] as const,
    },
  };
  expect(intersect(older, { "a.ts": { hash: "one", ranges: [[5, 25]] } })).toEqual({
    "a.ts": {
      hash: "one",
      ranges: [
        [5, 10],
        [20, 25],
      ],
    },
  });
  const changed = { "a.ts": { hash: "two", ranges: [[1, 2]] as const } };
  expect(intersect(older, changed)).toEqual(changed);
});

it("options that mean nothing are refused", () => {
  expect(readSearchOptions(["--minutes", "1", "--seed", "7"])).toMatchObject({ seconds: 60, seed: 7, share: 1 });
  expect(readSearchOptions(["--hours", "8"])).toMatchObject({ seconds: 28_800, share: 0.1, isResumed: false });
  expect(readSearchOptions(["--minutes", "1"]).stateFile).toBeUndefined();
  expect(readSearchOptions(["--minutes", "1", "--state", file]).stateFile).toBe(file);
  expect(readSearchOptions(["--hours", "8"]).stateFile).toContain("state.json");
  expect(readSearchOptions(["--replay", "servers:12"]).replay).toEqual({ kind: "servers", seed: 12 });
  for (const args of [
    ["--hours", "x"],
    ["--share", "2"],
    ["--cores", "0"],
    ["--resume", "--seed", "1"],
    ["--replay", "12"],
  ]) {
    expect(() => readSearchOptions(args)).toThrow("--");
  }
});

it("every guard that an invariant names is a mutant, or says why the model cannot see it", () => {
  const names = new Set(allGuards.flatMap(([, guards]) => guards.map(({ name }) => name)));
  for (const { name } of [...mutants, ...unseen]) {
    for (const one of name.split("; ")) expect(names.has(one), one).toBe(true);
  }
  const invariants = new Set([...mutants, ...unseen].map(({ invariant }) => invariant));
  expect(invariants.size).toBe(18);
});

it("a search plays something, however short, and goes on behind the seeds that it has played", async () => {
  const options = {
    seconds: 0.001,
    seed: 640,
    share: 0,
    cores: 1,
    stateFile: file,
    isResumed: false,
    replay: undefined,
  };
  const { next, model, unreached } = structuredClone(await new SearchRun(options).untilItsEnd());
  expect(model.schedules).toBeGreaterThan(0);
  expect(next.model).toBe(640 + model.schedules);
  expect(Object.keys(unreached)).toContain("src/coherence/history.ts");
  const after = await new SearchRun({ ...options, isResumed: true, seed: 0 }).untilItsEnd();
  expect(after.seed).toBe(640);
  expect(after.next.model).toBe(640 + after.model.schedules);
  expect(after.model.schedules).toBeGreaterThan(model.schedules);
  expect(readState(file)).toEqual(after);
}, 60_000);
