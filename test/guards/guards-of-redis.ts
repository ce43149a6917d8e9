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
      "if (isNews && matters) feed.pollSoon(seq ?? Number.POSITIVE_INFINITY);",
      "void [isNews, matters];",
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
  ...guardsOf("shared-cache/redis-client.ts", "shared-cache/redis-failures.test.ts", [
    ["no subscription that nobody hears fail", "autoResubscribe: false", "autoResubscribe: true", "taken away"],
  ]),
  ...guardsOf("shared-cache/redis-client.ts", "shared-cache/redis-cache.test.ts", [
    ["a client that has ended", 'if (status === "end") {', "if (false) {", "has ended"],
    [
      "a client of ioredis",
      "ioredis.fits(value) && isRecord",
      "true || isRecord",
      "refuses [^u].* no client of ioredis",
    ],
    ["a client that never comes back", "connection.socketTimeout === undefined", "false", "stay away"],
    ["a client that stays with a replica", "!given.sentinels && !given.reconnectOnError", "false", "stay away"],
  ]),
  ...guardsOf("shared-cache/redis-cache.ts", "shared-cache/redis-failures.test.ts", [
    ["a bounded entry", "0, maxEntryBytes)", "0, -1)", "no more is asked"],
    ["no replica that took a notice", 'failures.run("write", redis.del(nameKey(orgId ?? ""))),', "", "it is a replica"],
    ["a notice that was taken", "first: firstSeq }))),", "first: firstSeq }))).catch(() => {}),", "may not publish"],
    ["a channel under the client's prefix", "readKeyPrefix(redis)}", '""}', "keyPrefix of"],
  ]),
  ...guardsOf("shared-cache/redis-failures.ts", "shared-cache/redis-failures.test.ts", [
    [
      "a listener for errors",
      'this.#redis.on("error", this.#onError).on("ready", this.#onReady)',
      "void 0",
      "every client has a listener",
    ],
    ["listeners that go", "if (isLast) this.#redis", "if (false) this.#redis", "every client has a listener"],
    [
      "an event of the first failure",
      "for (const watcher of this.#watchers) callHook(watcher, failure);",
      "",
      "the first command",
    ],
    ["what is said now and then", "this.#saidAtMs.set(name, nowMs);", "", "now and then"],
    ["failures that are over", "this.#standing.delete(operation);", "", "it is full, and no longer"],
  ]),
  ...guardsOf("shared-cache/redis-subscription.ts", "shared-cache/redis-failures.test.ts", [
    [
      "a subscriber's listener for errors",
      'this.#subscriber.on("error", this.#onError);',
      "",
      "every client has a listener",
    ],
    ["a refused subscription that is said", "        this.#onError(error);", "", "refused is asked|taken away"],
    [
      "a refused subscription that is asked for again",
      '"ready") this.#subscribe();',
      '"ready") void 0;',
      "refused is asked",
    ],
    [
      "a flood of which a share is read",
      "if (this.#read === maxPerWindow) this.#pause(this.#windowEndsAtMs - nowMs);",
      "",
      "flooded reads",
    ],
    ["a flood that waits", "stream?.pause();", "", "flooded reads"],
  ]),
  ...guardsOf("shared-cache/redis-connection.ts", "shared-cache/redis-comes-back.test.ts", [
    [
      "a connection that an idle worker has lost",
      "this.#away ??= setTimeout(() => this.#tell(true), awayMs).unref();",
      "",
      "its (Redis|cluster) is gone|all sentinels",
    ],
    ["a connection that is back", "if (this.#isChecked) this.#tell(false);", "if (!this.#isChecked) {}", "gone, and"],
    [
      "a client that checks nothing",
      "if (this.#isChecked) this.#tell(false);",
      "this.#tell(false); if (0) {}",
      "no sign of",
    ],
  ]),
  ...guardsOf("shared-cache/redis-connection.ts", "shared-cache/redis-connection.test.ts", [
    ["a connection that is made again", "    this.#forgetClose();\n    if (this", "    if (this", "within a second"],
    ["a second for all attempts", "this.#away ??= ", "this.#forgetClose(); this.#away = ", "again and again"],
    ["a client that is connecting", 'if (status === "connecting" || ', 'if (status === "" && ', "first used"],
    ["no timer of an old connection", "    this.#forgetClose();\n    this.#redis", "    this.#redis", "nor a timer"],
    ["one connection for a client", "connections.set(redis, connection);", "", "many caches"],
  ]),
  ...guardsOf("shared-cache/redis-connection.ts", "shared-cache/redis-cache.test.ts", [
    ["a client that was ended before", 'this.#isLost = status === "end";', "", "ended before"],
  ]),
  ...guardsOf("shared-cache/redis-connection.ts", "shared-cache/redis-failures.test.ts", [
    ["listeners of a connection that go", "this.#watchers.size === 0) this.#end();", "false) {}", "every client has"],
  ]),
  ...guardsOf("shared-cache/cache-circuit-breaker.ts", "shared-cache/redis-failures.test.ts", [
    ["managers that watch no connection", "const onReach = listener && (", "const onReach = (", "one watcher with a"],
  ]),
  ...guardsOf("shared-cache/redis-subscription.ts", "shared-cache/redis-comes-back.test.ts", [
    ["a sign of life", 'if (isCluster || status !== "ready") return;', "return;", "nothing to hear"],
  ]),
  ...guardsOf("cli/open-cache.ts", "cli/redis-url.test.ts", [
    ["a URL of a Redis", "  assertRedisUrl(url);", "", '127\\.0\\.0\\.1:no" is refused by its name'],
  ]),
  ...guardsOf("shared-cache/redis-cache.ts", "shared-cache/redis-cache.test.ts", [
    ["lives of different lengths", "2 * jitter * Math.random()", "jitter", "give or take"],
  ]),
  ...guardsOf("shared-cache/redis-subscription.ts", "shared-cache/redis-cache.test.ts", [
    ["messages that are too long", " || message.length > maxNoticeBytes", "", "drops the message.*seq..:9"],
    [
      "messages that are no notice",
      'if (!(typeof org === "string" || org === null) || !(seq === null || isSeq(seq))) return undefined;',
      "",
      'Redis as the shared cache.*drops the message "\\[\\]"',
    ],
  ]),
  ...guardsOf("circuit-breaker.ts", "circuit-breaker.test.ts", [
    ["a cache that fails is not asked", "if (isProbe && !this.#mayProbe()) return undefined;", "", "more after"],
    [
      "a command's time-out",
      'await within(clock, limitMs, work, () => new Error("No answer in time."))',
      "await work",
      "no longer",
    ],
    ["commands without end", "if (this.#pending >= maxPending) return undefined;", "", "no longer"],
    ["probes ever further apart", "this.#probeMs = Math.min(2 * this.#probeMs, maxProbeMs);", "", "more after"],
    ["one probe at a time", "!this.#isProbing && ", "", "probe at a time"],
    ["a service that is known to be out of reach", "this.#failures = maxFailures - 1;", "", "out of reach"],
    ["a first probe that comes soon", "if (!this.isUp && !isProbe) return;", "", "soon after it is given up"],
  ]),
  ...guardsOf("coherence/poll-rate-limiter.ts", "shared-cache/notices.test.ts", [
    ["polls that notices may cause in vain", ", this.#vain.waitMs()", "", "cause five|forged gain"],
    [
      "polls that show what matters",
      "if (await poll()) this.#vain.giveBack();",
      "await poll();",
      "cause fifty|forged gain",
    ],
    ["polls a second, whatever they show", ", this.#all.waitMs()", "", "cause fifty"],
    ["a gap between polls", "minGapDurations * tookMs", "0", "begin four times"],
    ["five milliseconds between polls", "const minGapMs = 5;", "const minGapMs = 1;", "cause fifty"],
    [
      "a notice during a poll",
      "    this.#isRunning = false;\n    this.#next();",
      "    this.#isRunning = false;",
      "poll cause",
    ],
    ["no poll for what was shown", " || this.#options.hasReadUpTo(this.#askedFor)", "", "poll cause"],
  ]),
  ...guardsOf("coherence/change-feed.ts", "shared-cache/notices.test.ts", [
    ["polls that only show others' changes", " && this.matters(orgId)) this.#shown", ") this.#shown", "forged gain"],
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
  ...guardsOf("shared-cache/recent-numbers.ts", "shared-cache/recent-numbers.test.ts", [
    ["notices that are remembered", "if (dropped !== undefined) this.#known.delete(dropped);", "", "no more of them"],
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
