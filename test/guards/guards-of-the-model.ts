import { type Guard, guardsOf } from "./guard.ts";

const test = "model/coherence-model.test.ts";

/**
 * What the model check must find within its ordinary budget of schedules. Not here, because another rule stands behind
 * each and the model cannot tell: generations (doubtful reads are refused), the floor of a new worker and the marks of
 * entries (marks of snapshots), the re-check by joiners (nothing comes between a landing and its callers but a keyring
 * that waits). Tests of their own hold those.
 */
export const guardsOfTheModel: readonly Guard[] = [
  ...guardsOf("cache/history.ts", test, [
    ["the fence", "snapshot.snap >= this.fence(snapshot.orgId)", "true"],
    ["marks of polls", "page.afterMark !== this.#lastMark || page.head", "page.head"],
    ["marks of snapshots", "(this.#marks.get(snapshot.snap) ?? snapshot.mark) === snapshot.mark &&", ""],
    [
      "changes that were lost behind a snapshot",
      "if (this.#ahead !== undefined && this.#ahead.seq > page.head) {",
      "if (false) {",
    ],
  ]),
  ...guardsOf("cache/worker-memory.ts", test, [
    ["the lease", "this.history.admits(held) && this.overdueMs(held) < 0", "this.history.admits(held)"],
    ["a fence under what was installed", "this.history.raiseFence(held.orgId, held.snap);", ""],
    ["snapshots of a doubtful history", "if (snap > this.history.lastSeq) this.#snapshots.delete(orgId);", ""],
  ]),
  ...guardsOf("cache/snapshot-cache.ts", test, [
    ["reads during which a history was lost", "!this.memory.history.isDoubtful(held, sentAt) && ", ""],
  ]),
  ...guardsOf("cache/snapshot-reads.ts", test, [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: momentOf(this.#clock) })",
    ],
  ]),
  ...guardsOf("cache/change-feed.ts", test, [
    [
      "a lease from when a poll is sent",
      "memory.learn(page, asked)",
      "memory.learn(page, { ...asked, sentAt: momentOf(clock) })",
    ],
  ]),
  ...guardsOf("cache/snapshot-codec.ts", test, [
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
