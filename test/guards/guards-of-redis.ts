import { type Guard, guardsOf } from "./guard.ts";

/** What keeps Redis a hint and a spare. */
export const guardsOfRedis: readonly Guard[] = [
  ...guardsOf("cache/shared-snapshots.ts", "model/coherence-model.test.ts", [
    [
      "entries of rows that were read",
      "if (!memory.history.hasRead(cached)) return",
      "if (false) return",
      "no schedule",
    ],
  ]),
  ...guardsOf("cache/shared-snapshots.ts", "cache/redis-cache.test.ts", [
    [
      "a poll for a hint",
      "|| isFilling(orgId))) feed.pollSoon();",
      "|| isFilling(orgId))) void 0;",
      "as soon as the hint",
    ],
    ["entries of another rollout", 'mayReplace: reason !== "unknown_kid"', "mayReplace: true", "another rollout"],
    ["what is read is kept for others", "void this.#link.set(held.orgId, entry)", "void 0", "serve the second"],
  ]),
  ...guardsOf("cache/redis-client.ts", "cache/redis-cache.test.ts", [
    [
      "a subscriber that waits for its connection",
      "redis.duplicate({ ...patient, ",
      "redis.duplicate({ ",
      "subscriber",
    ],
  ]),
  ...guardsOf("cache/redis-cache.ts", "cache/redis-cache.test.ts", [
    ["lives of different lengths", "2 * jitter * Math.random()", "jitter", "give or take"],
    ["messages that are no hint", 'typeof org === "string" && isSeq ?', "true ?", "drops the message"],
  ]),
  ...guardsOf("cache/cache-link.ts", "cache/hints.test.ts", [
    ["a cache that fails is not asked", "if (this.isUp) return true;", "return true;"],
    ["a command's time-out", "await within(this.#clock, timeoutMs, work, silent)", "await work"],
    ["commands without end", "if (this.#pending >= maxPending) return false;", ""],
    ["probes ever further apart", "this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);", ""],
  ]),
  ...guardsOf("cache/poll-pace.ts", "cache/hints.test.ts", [
    ["polls that hints may cause", "if (this.#tokens < 1) return false;", ""],
    ["a hint during a poll", "if (!this.#isAskedAgain) return;", "return;"],
  ]),
  ...guardsOf("cache/hint-listener.ts", "cache/hints.test.ts", [
    [
      "a subscription that went silent",
      "const isSilent = this.#missing.some((seq) => !this.#came.has(seq));",
      "const isSilent = false;",
    ],
    ["renewals once a minute", " || nowMs - this.#renewedAtMs < renewAfterMs", ""],
  ]),
  ...guardsOf("vault/cache-cipher.ts", "cache/cache-cipher.test.ts", [
    [
      "what an entry is bound to",
      "Buffer.concat([bytes.subarray(0, kidEnd), bound])",
      'Buffer.concat([bytes.subarray(0, kidEnd), Buffer.from("org-a")])',
    ],
  ]),
  ...guardsOf("cache/snapshot-codec.ts", "cache/cache-cipher.test.ts", [
    ["entries that are too large to keep", "return entry.length > maxEntryBytes ? undefined : entry;", "return entry;"],
    ["entries that are too large to open", 'if (entry.length > maxEntryBytes) return "too_large";', ""],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "cache/redis-cache.test.ts", [
    [
      "an honest published",
      "(await link?.invalidate({ orgId, seq: change.seq })) ?? false",
      "true",
      "dead, every call",
    ],
  ]),
  ...guardsOf("vault/sqlite-store.ts", "vault/sqlite-store.test.ts", [
    ["a log that is pruned", "prepare(pruneSql).run({ seq, since: Date.now() - keepMs });", "", "prunes"],
  ]),
  ...guardsOf("vault/postgres-changes.ts", "vault/postgres-store.test.ts", [
    [
      "a log that is pruned",
      'await client.query({ name: "byok_prune", text: pruneSql, values: [seq, logKeepMs] });',
      "",
      "prunes",
    ],
  ]),
];
