import { type Guard, guardsOf } from "./guard.ts";

const test = "model/coherence-model.test.ts";

/** Only a violation counts: that the other test of the file misses something that was to be seen proves nothing. */
const only = "no schedule";

/**
 * What the model check must find within its ordinary budget of schedules.
 *
 * A flight of an older generation is refused twice. After a flush its snapshot is below the floor, or shows another
 * mark for the row at the floor, or is ahead of the log and doubtful, because the page that flushed came during its
 * read; after a new beginning it is not older than the head where that begins. So the generation is taken out together
 * with the floor of a flush. Each alone is enough: with either left in, the property finds nothing. Not here for the same
 * reason: the incarnation of a snapshot, behind which generation and floor still stand. Nor is what needs two rare faults
 * in one schedule: leases that a snapshot of a lost history renews, beginnings with a read from before or beside a read
 * of a lost history. Tests of their own hold those.
 */
const guards: readonly Guard[] = [
  ...guardsOf("coherence/history.ts", test, [
    ["the fence", "snapshot.snap >= this.fence(snapshot.orgId)", "true"],
    ["the floor of a beginning", "this.#fences.restart(seq);", 'this.#fences.restart(this.#fences.of(""));'],
    ["marks of polls", "page.afterMark !== this.#lastMark || page.head", "page.head"],
    ["marks of snapshots", "this.#marks.allow(snapshot.snap, snapshot.mark) &&", ""],
    [
      "changes that were lost behind a snapshot",
      "if (this.#ahead !== undefined && this.#ahead.seq > page.head) {",
      "if (false) {",
    ],
  ]),
  ...guardsOf("coherence/fences.ts", test, [
    ["a floor under forgotten fences", "this.#floor = Math.max(this.#floor, seq);", ""],
  ]),
  ...guardsOf("coherence/worker-memory.ts", test, [
    ["the lease", "this.history.admits(held) && this.overdueMs(held) < 0", "this.history.admits(held)"],
    ["a fence under what was installed", "this.history.raiseFence(held.orgId, held.snap);", ""],
    ["snapshots of a doubtful history", "if (snap > this.history.lastSeq) this.#snapshots.delete(orgId);", ""],
  ]),
  {
    name: "flights of an older generation",
    file: "coherence/history.ts",
    find: "snapshot.generation === this.generation &&",
    replace: "",
    also: {
      find: "this.#fences.restart(seq);",
      replace: 'this.#fences.restart(this.generation === 0 ? seq : this.#fences.of(""));',
    },
    test,
  },
  ...guardsOf("coherence/snapshot-cache.ts", test, [
    [
      "the use rule after a wait",
      "if (held !== undefined && this.#isUsable(held, request)) {",
      "if (held !== undefined && (held === landed?.held || this.#isUsable(held, request))) {",
    ],
    ["atLeast", " && this.#shows(held, request.atLeast)", ""],
    ["reads during which a history was lost", "if (!history.isDoubtful(held, sentAt)) return true;", "return true;"],
  ]),
  ...guardsOf("coherence/snapshot-reads.ts", test, [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: momentOf(this.#clock) })",
    ],
  ]),
  ...guardsOf("coherence/change-feed.ts", test, [
    [
      "a lease from when a poll is sent",
      "memory.learn(page, asked)",
      "memory.learn(page, { ...asked, sentAt: momentOf(clock) })",
    ],
  ]),
  ...guardsOf("coherence/snapshot-codec.ts", test, [
    ["the organisation in an entry's seal", "Buffer.from(`$" + "{orgId}\\0`)", "Buffer.alloc(0)"],
  ]),
  ...guardsOf("../test/model/model-database.ts", test, [
    [
      "numbers in the order of commits",
      "const seq = this.head.seq + 1;",
      "const seq = this.#marks % 2 === 0 ? this.#marks + 2 : this.#marks;",
    ],
  ]),
];

export const guardsOfTheModel: readonly Guard[] = guards.map((guard) => ({ ...guard, only }));
