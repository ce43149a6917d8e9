import { type Guard, guardsOf } from "./guard.ts";

/** What keeps Redis a hint and a spare. */
export const guardsOfRedis: readonly Guard[] = [
  ...guardsOf("coherence/shared-snapshots.ts", "model/coherence-model.test.ts", [
    [
      "entries of rows that were read",
      "if (!memory.history.hasRead(cached)) return",
      "if (false) return",
      "no schedule",
    ],
  ]),
  ...guardsOf("coherence/shared-snapshots.ts", "shared-cache/redis-cache.test.ts", [
    [
      "a poll for a notice",
      "|| isFilling(orgId))) feed.pollSoon();",
      "|| isFilling(orgId))) void 0;",
      "as soon as the notice",
    ],
    ["entries of another rollout", 'mayReplace: reason !== "unknown_kid"', "mayReplace: true", "another rollout"],
    ["what is read is kept for others", "void this.#breaker.set(snapshot.orgId, entry)", "void 0", "serve the second"],
  ]),
  ...guardsOf("coherence/shared-snapshots.ts", "shared-cache/notices.test.ts", [
    [
      "changes that came without their notices",
      "feed.onScheduledPoll = (after, upTo) => {",
      "const _unwired = (after: number, upTo: number) => {",
      "subscribe anew",
    ],
  ]),
  ...guardsOf("shared-cache/redis-client.ts", "shared-cache/redis-cache.test.ts", [
    [
      "a subscriber that waits for its connection",
      "redis.duplicate({ ...patient, ",
      "redis.duplicate({ ",
      "subscriber",
    ],
  ]),
  ...guardsOf("shared-cache/redis-cache.ts", "shared-cache/redis-cache.test.ts", [
    ["lives of different lengths", "2 * jitter * Math.random()", "jitter", "give or take"],
    [
      "messages that are no notice",
      'if (!(typeof org === "string" || org === null) || !(seq === null || isSeq(seq))) return undefined;',
      "",
      'Redis as the shared cache.*drops the message "\\[\\]"',
    ],
  ]),
  ...guardsOf("circuit-breaker.ts", "circuit-breaker.test.ts", [
    ["a cache that fails is not asked", "if (this.isUp) return true;", "return true;", "more after"],
    [
      "a command's time-out",
      'await within(this.#options.clock, limitMs, work, () => new Error("No answer in time."))',
      "await work",
      "no longer",
    ],
    ["commands without end", "if (this.#pending >= this.#options.maxPending) return false;", "", "no longer"],
    ["probes ever further apart", "this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);", "", "more after"],
  ]),
  ...guardsOf("coherence/poll-rate-limiter.ts", "shared-cache/notices.test.ts", [
    ["polls that notices may cause", "if (this.#tokens < 1) return false;", "", "cause five"],
    ["a notice during a poll", "if (!this.#isAskedAgain) return;", "return;", "poll cause"],
  ]),
  ...guardsOf("shared-cache/notice-listener.ts", "shared-cache/notices.test.ts", [
    [
      "a subscription that went silent",
      "const isSilent = this.#missing.some((seq) => !this.#came.has(seq));",
      "const isSilent = false;",
      "stay away",
    ],
    ["renewals once a minute", " || nowMs - this.#renewedAtMs < renewAfterMs", "", "away although"],
  ]),
  ...guardsOf("keyring/entry-cipher.ts", "keyring/entry-cipher.test.ts", [
    [
      "what an entry is bound to",
      "Buffer.concat([bytes.subarray(0, kidEnd), bound])",
      'Buffer.concat([bytes.subarray(0, kidEnd), Buffer.from("org-a")])',
      "opens what",
    ],
  ]),
  ...guardsOf("coherence/snapshot-codec.ts", "keyring/entry-cipher.test.ts", [
    [
      "entries that are too large to keep",
      "return entry.length > maxEntryBytes ? undefined : entry;",
      "return entry;",
      "entry says",
    ],
    ["entries that are too large to open", 'if (entry.length > maxEntryBytes) return "too_large";', "", "entry says"],
  ]),
  ...guardsOf("manager/key-changer.ts", "shared-cache/redis-cache.test.ts", [
    [
      "an honest published",
      "(await cache?.invalidate({ orgId, seq: change.seq })) ?? false",
      "true",
      "dead, every call",
    ],
  ]),
];
