import fc from "fast-check";
import { expect, it } from "vitest";
import { readMoment } from "../../src/coherence/moment.ts";
import type { OpenedSnapshot } from "../../src/coherence/opened-snapshot.ts";
import { WorkerMemory } from "../../src/coherence/worker-memory.ts";
import { ManualClock } from "../support/manual-clock.ts";

const orgIds = ["a", "b", "c", "d"] as const;
const org = fc.constantFrom(...orgIds);

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("change" as const), org }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("poll" as const), rows: fc.integer({ min: 1, max: 3 }) }) },
    // From the shared cache or from a read of the store that was under way: of any moment, the newest as well.
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("take" as const), org, behind: fc.nat(5) }) },
  ),
  { minLength: 10, maxLength: 60, size: "max" },
);

it("no organisation's snapshot is taken in behind a change that the worker has seen, by the log or ahead of it", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const clock = new ManualClock();
      const memory = new WorkerMemory(clock, 10_000, 1);
      /** Who changed, by number: row 0 is nobody's. */
      const log: string[] = ["nobody"];
      const lastChange = (orgId: string, asOf: number): number => log.slice(0, asOf + 1).lastIndexOf(orgId);
      const known = new Map<string, number>();
      const learn = (orgId: string, change: number): void =>
        void known.set(orgId, Math.max(change, known.get(orgId) ?? -1));
      const poll = (rows: number): void => {
        const { following } = memory.history;
        const after = following?.seq ?? 0;
        // Who begins anew has no lease before it has read to the head.
        const upTo = following === undefined ? log.length : after + 1 + rows;
        const changes = log.slice(after + 1, upTo).map((orgId, at) => {
          const seq = after + 1 + at;
          return { seq, changeId: `m${seq}`, orgId };
        });
        const head = log.length - 1;
        const page = { incarnation: "one", head, headChangeId: `m${head}`, after, afterChangeId: `m${after}`, changes };
        memory.applyPage(page, { sentAt: readMoment(clock), generation: memory.history.generation });
        for (const { seq, orgId } of changes) learn(orgId, seq);
      };
      poll(1);
      for (const step of all) {
        if (step.kind === "change") log.push(step.org);
        else if (step.kind === "poll") poll(step.rows);
        else {
          const asOf = Math.max(0, log.length - 1 - step.behind);
          const snapshot: OpenedSnapshot = {
            orgId: step.org,
            asOf,
            changeId: `m${asOf}`,
            incarnation: "one",
            generation: memory.history.generation,
            readAt: readMoment(clock),
            keys: new Map(),
            made: undefined,
          };
          const change = lastChange(step.org, asOf);
          if (!memory.install(snapshot)) continue;
          expect(change).toBeGreaterThanOrEqual(known.get(step.org) ?? -1);
          learn(step.org, change);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
