import { type Guard, guardsOf } from "./guard.ts";

const test = "model/coherence-model.test.ts";

/** Only a violation counts: that the other test of the file misses something that was to be seen proves nothing. */
const only = "no schedule";

type Edit = readonly [name: string, find: string, replace: string];

const guardsOfTheModelIn = (file: string, edits: readonly Edit[]): Guard[] =>
  guardsOf(
    file,
    test,
    edits.map((edit) => [...edit, only] as const),
  );

/**
 * What the model check must find within its ordinary budget of schedules.
 *
 * A read of an older generation is refused twice. After a flush its snapshot is below the floor, or shows another
 * change id for the row at the floor, or is ahead of the log and doubtful, because the page that flushed came during its
 * read; after a new beginning it is not older than the head where that begins. So the generation is taken out together
 * with the floor of a flush. Each alone is enough: with either left in, the property finds nothing. Not here for the same
 * reason: the incarnation of a snapshot, behind which generation and floor still stand, and the floor of a beginning, for what
 * is older than every row that is known is read anew. Nor is what needs two rare faults
 * in one schedule: leases that a snapshot of a lost history renews, beginnings with a read from before or beside a read
 * of a lost history. Tests of their own hold those.
 */
export const guardsOfTheModel: readonly Guard[] = [
  ...guardsOfTheModelIn("coherence/history.ts", [
    ["the fence", "snapshot.asOf >= this.fence(snapshot.orgId)", "true"],
    ["change ids of polls", "page.afterChangeId !== this.#following.changeId || page.head", "page.head"],
    ["a fence under what was read ahead", ", this.#unconfirmed.fence(orgId))", ")"],
    [
      "a fence under what was read ahead by one",
      "if (!this.hasReadUpTo(asOf)) this.#u",
      "if (!this.hasReadUpTo(asOf - 1)) this.#u",
    ],
    ["change ids of snapshots", "this.#changeIds.allow(snapshot.asOf, snapshot.changeId) &&", ""],
    [
      "changes that were lost behind a snapshot",
      "if (newest !== undefined && newest.seq > page.head) {",
      "if (false) {",
    ],
  ]),
  ...guardsOfTheModelIn("coherence/fences.ts", [
    ["a floor under forgotten fences", "this.#floor = Math.max(this.#floor, floor);", ""],
  ]),
  ...guardsOfTheModelIn("coherence/worker-memory.ts", [
    [
      "the lease",
      "this.history.isAdmissible(snapshot) && this.overdueMs(snapshot) < 0",
      "this.history.isAdmissible(snapshot)",
    ],
    ["a fence under what was installed", "this.history.noteTaken(snapshot, this.#clock.monotonicMs());", ""],
    ["snapshots of a doubtful history", "if (!this.history.hasReadUpTo(asOf)) this.#snapshots.delete(orgId);", ""],
  ]),
  {
    name: "reads of an older generation",
    file: "coherence/history.ts",
    find: "snapshot.generation === this.generation &&",
    replace: "",
    also: {
      find: "this.#fences.restart(position.seq);",
      replace: 'this.#fences.restart(this.generation === 0 ? position.seq : this.#fences.of(""));',
    },
    test,
    only,
  },
  ...guardsOfTheModelIn("coherence/snapshot-attempt.ts", [
    [
      "the use rule after a wait",
      "snapshot !== undefined && answers.satisfies(snapshot, this.#request) ? snapshot",
      "snapshot !== undefined && (snapshot === this.#result?.snapshot || answers.satisfies(snapshot, this.#request)) ? snapshot",
    ],
  ]),
  ...guardsOfTheModelIn("coherence/snapshot-answers.ts", [["atLeast", " && this.shows(snapshot, atLeast)", ""]]),
  ...guardsOfTheModelIn("coherence/snapshot-loader.ts", [
    [
      "reads during which a history was lost",
      "if (!memory.history.needsConfirmation(snapshot, sentAt)) return true;",
      "return true;",
    ],
  ]),
  ...guardsOfTheModelIn("coherence/snapshot-batcher.ts", [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: readMoment(this.#clock) })",
    ],
  ]),
  ...guardsOfTheModelIn("coherence/change-feed.ts", [
    [
      "a lease from when a poll is sent",
      "memory.applyPage(page, request)",
      "memory.applyPage(page, { ...request, sentAt: readMoment(clock) })",
    ],
  ]),
  ...guardsOfTheModelIn("coherence/snapshot-codec.ts", [
    ["the organisation in an entry's seal", "Buffer.from(`$" + "{orgId}\\0`)", "Buffer.alloc(0)"],
  ]),
  ...guardsOfTheModelIn("../test/model/model-database.ts", [
    [
      "numbers in the order of commits",
      "const seq = this.head.seq + 1;",
      "const seq = this.#changeIds % 2 === 0 ? this.#changeIds + 2 : this.#changeIds;",
    ],
  ]),
  ...guardsOf("manager/key-changer.ts", "model/change-order-model.test.ts", [
    [
      "a place before the check",
      "const [before] = place === null ? [null] : await waiting.race(store.takePlaces([ref], place));",
      "const [before] = [null as never];",
      only,
    ],
    [
      "changes of callers that are there",
      "        waiting.throwIfEnded();\n        return await step();",
      "        return await step();",
      only,
    ],
  ]),
  ...guardsOf("manager/change-turns.ts", "model/change-order-model.test.ts", [
    ["older changes that end at once", "this.#latest.get(id)?.abort(keyChanged(ref));", "", only],
  ]),
];
