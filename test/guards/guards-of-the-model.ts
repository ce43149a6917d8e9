import { type Guard, guardsOf } from "./guard.ts";

const test = "model/coherence-model.test.ts";

/** Only a violation counts: that the other test of the file misses something that was to be seen proves nothing. */
const only = "no schedule";

/**
 * What the model check must find within its ordinary budget of schedules.
 *
 * A read of an older generation is refused twice. After a flush its snapshot is below the floor, or shows another
 * change id for the row at the floor, or is ahead of the log and doubtful, because the page that flushed came during its
 * read; after a new beginning it is not older than the head where that begins. So the generation is taken out together
 * with the floor of a flush. Each alone is enough: with either left in, the property finds nothing. Not here for the same
 * reason: the incarnation of a snapshot, behind which generation and floor still stand. Nor is what needs two rare faults
 * in one schedule: leases that a snapshot of a lost history renews, beginnings with a read from before or beside a read
 * of a lost history. Tests of their own hold those.
 */
const guards: readonly Guard[] = [
  ...guardsOf("coherence/history.ts", test, [
    ["the fence", "snapshot.asOf >= this.fence(snapshot.orgId)", "true"],
    ["the floor of a beginning", "this.#fences.restart(position.seq);", 'this.#fences.restart(this.#fences.of(""));'],
    ["change ids of polls", "page.afterChangeId !== this.#following.changeId || page.head", "page.head"],
    ["change ids of snapshots", "this.#changeIds.allow(snapshot.asOf, snapshot.changeId) &&", ""],
    [
      "changes that were lost behind a snapshot",
      "if (this.#unconfirmed !== undefined && this.#unconfirmed.seq > page.head) {",
      "if (false) {",
    ],
  ]),
  ...guardsOf("coherence/fences.ts", test, [
    ["a floor under forgotten fences", "this.#floor = Math.max(this.#floor, seq);", ""],
  ]),
  ...guardsOf("coherence/worker-memory.ts", test, [
    [
      "the lease",
      "this.history.isAdmissible(snapshot) && this.overdueMs(snapshot) < 0",
      "this.history.isAdmissible(snapshot)",
    ],
    ["a fence under what was installed", "this.history.raiseFence(snapshot.orgId, snapshot.asOf);", ""],
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
  },
  ...guardsOf("coherence/snapshot-cache.ts", test, [
    [
      "the use rule after a wait",
      "snapshot !== undefined && this.#satisfies(snapshot, request) ? snapshot",
      "snapshot !== undefined && (snapshot === result?.snapshot || this.#satisfies(snapshot, request)) ? snapshot",
    ],
    ["atLeast", " && this.#shows(snapshot, atLeast)", ""],
  ]),
  ...guardsOf("coherence/snapshot-loader.ts", test, [
    [
      "reads during which a history was lost",
      "if (!memory.history.needsConfirmation(snapshot, sentAt)) return true;",
      "return true;",
    ],
  ]),
  ...guardsOf("coherence/snapshot-batcher.ts", test, [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: readMoment(this.#clock) })",
    ],
  ]),
  ...guardsOf("coherence/change-feed.ts", test, [
    [
      "a lease from when a poll is sent",
      "memory.applyPage(page, request)",
      "memory.applyPage(page, { ...request, sentAt: readMoment(clock) })",
    ],
  ]),
  ...guardsOf("coherence/snapshot-codec.ts", test, [
    ["the organisation in an entry's seal", "Buffer.from(`$" + "{orgId}\\0`)", "Buffer.alloc(0)"],
  ]),
  ...guardsOf("../test/model/model-database.ts", test, [
    [
      "numbers in the order of commits",
      "const seq = this.head.seq + 1;",
      "const seq = this.#changeIds % 2 === 0 ? this.#changeIds + 2 : this.#changeIds;",
    ],
  ]),
];

export const guardsOfTheModel: readonly Guard[] = guards.map((guard) => ({ ...guard, only }));
