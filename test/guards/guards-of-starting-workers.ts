import { type Guard, guardsOf } from "./guard.ts";

const test = "resolver/long-log.test.ts";

export const guardsOfStartingWorkers: readonly Guard[] = [
  ...guardsOf("coherence/change-ids.ts", "coherence/change-ids.test.ts", [
    ["a bound of the rows that are known", " % maxWindowRows] = changeId", "] = changeId", "newest rows"],
    ["rows that the ring has lost", " && seq >= this.oldestSeq", "", "newest rows"],
    ["rows that follow each other", "if (seq !== this.#lastSeq + 1) {", "if (this.#ring.length === 0) {", "no other"],
  ]),
  ...guardsOf("store/memory-store.ts", test, [
    ["how far a log in memory is read back", ", newest - maxWindowRows)", ")", "in memory that is longer.*read back"],
  ]),
  ...guardsOf("store/sqlite/sqlite-statements.ts", test, [
    [
      "how far a log in SQLite is read back",
      "SELECT max(seq) - $" + "{maxWindowRows} FROM",
      "SELECT min(seq) FROM",
      "in SQLite that is longer.*read back",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-statements.ts", test, [
    [
      "how far a log in Postgres is read back",
      "SELECT max(seq) - $" + "{maxWindowRows} FROM",
      "SELECT min(seq) FROM",
      "in Postgres that is longer.*read back",
    ],
  ]),
  ...guardsOf("resolver/describe-health.ts", test, [
    [
      "not ready before the head was read",
      "isReady: leaseStart !== undefined &&",
      "isReady: following !== undefined &&",
      "says how far it is",
    ],
  ]),
  ...guardsOf("resolver/call-resolver.ts", test, [
    ["how far a starting worker is", "if (progress === undefined) {", "if (true) {", "says how far it is"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", "providers/rehearsal.test.ts", [
    ["a rehearsal", "this.#rehearsal ??= this.#rehearse();", "", "runs no code for the first time"],
    ["one rehearsal", "this.#rehearsal ??=", "this.#rehearsal =", "is played once"],
    ["a rehearsal that Redis does not see", "      shared: undefined,\n", "", "reaches no store"],
    ["a rehearsal that is no event", "      onEvent: () => {},\n", "", "reaches no store"],
  ]),
  ...guardsOf("resolver/resolver-settings.ts", "providers/rehearsal.test.ts", [
    [
      "a rehearsal of byokit's own providers",
      "builtin.some((provider) => provider === providers[index])",
      "index >= 0",
      "of a provider of one's own",
    ],
  ]),
  ...guardsOf("coherence/shared-snapshots.ts", test, [
    [
      "calls before the log was read",
      "await within(clock, bootWaitMs, feed.poll(), ignored)",
      "await feed.poll()",
      "answers calls from the database meanwhile",
    ],
  ]),
];
