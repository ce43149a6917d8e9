import { type Guard, guardsOf } from "./guard.ts";

const test = "manager/key-import.test.ts";

/** Of keys that are stored by the hundred. */
export const guardsOfImports: readonly Guard[] = [
  ...guardsOf("manager/key-importer.ts", test, [
    ["the later of two rows", "if (earlier !== undefined) results", "if (false) results", "of two rows"],
    [
      "a region that an import keeps",
      "const kept = keep(row, before[at]);",
      "const kept = keep(row, null);",
      "keeps the (region|account)",
    ],
    ["the rest of a batch that failed", "hasFailed ||= ", "hasFailed &&= ", "does not try"],
    ["a notice of a batch in doubt", "if (mayBeStored(error)) await", "if (false) await", "may or may not"],
    ["one deadline of a batch", "await deadline.race(this.#commit(", "await (this.#commit(", "by one deadline"],
    ["a failure that lasts", "error.retryable ? undefined : (false as const)", "undefined", "no repetition mends"],
  ]),
  ...guardsOf("shared-cache/notice-listener.ts", "shared-cache/notices.test.ts", [
    ["a notice of a whole batch", "Math.max(firstSeq ?? seq, seq", "Math.max(seq, seq", "of a batch stand"],
    ["a forged range", ", seq - maxRemembered + 1)", ")", "range is forged"],
  ]),
  ...guardsOf("coherence/shared-snapshots.ts", "shared-cache/notices.test.ts", [
    [
      "a poll for a batch's notice",
      "orgId === null ? !memory.isIdle || isFilling(null) :",
      "orgId === null ? false :",
      "of a batch have",
    ],
  ]),
  ...guardsOf("store/postgres/change-functions.ts", "store/postgres/postgres-contract.test.ts", [
    [
      "a batch's places",
      "WHERE taken.place = given.place AND stored",
      "WHERE stored",
      "stores all of a batch but what was overtaken",
    ],
  ]),
  ...guardsOf("store/postgres/change-functions.ts", "store/postgres/postgres-store.test.ts", [
    ["one order of locks", "$" + '{inOrder("given")}', "", "meet in the middle"],
  ]),
];
