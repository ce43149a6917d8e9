import { type Guard, guardsOf } from "./guard.ts";

/** Fence, lease and reads that are shared. */
export const guardsOfTheCache: readonly Guard[] = [
  ...guardsOf("coherence/history.ts", "coherence/history.test.ts", [
    ["the fence", "snapshot.asOf >= this.fence(snapshot.orgId)", "true", "refuses what"],
    [
      "the floor of a beginning",
      "this.#fences.restart(position.seq);",
      'this.#fences.restart(this.#fences.of(""));',
      "older state was before the worker started",
    ],
    ["the generation", "snapshot.generation === this.generation &&", "", "knows another"],
    [
      "the incarnation",
      "snapshot.incarnation === this.#following?.incarnation &&",
      "this.#following !== undefined &&",
      "incarnation, however",
    ],
    [
      "the change id of the row read last",
      "page.afterChangeId !== this.#following.changeId || page.head",
      "page.head",
      "knows another",
    ],
    ["a head that went back", " || page.head < this.#following.seq", "", "head behind"],
    [
      "another incarnation's page",
      "if (page.incarnation !== this.#following?.incarnation) return",
      "if (this.#following === undefined) return",
      "everything at another",
    ],
    ["a log without gaps", "if (seq !== this.#following.seq + 1) return", "if (false) return", "everything when"],
    ["a lease from the head alone", 'if (!this.hasReadUpTo(page.head)) return "more";', "", "not reach"],
    [
      "a page that was overtaken",
      '#changeIds.allow(seq, changeId))) return "overtaken";',
      '#changeIds.allow(seq, changeId))) return "current";',
      "ignores a page",
    ],
    [
      "another change id for a row that was read",
      "this.#changeIds.allow(snapshot.asOf, snapshot.changeId) &&",
      "",
      "shows another",
    ],
    [
      "a lease from a snapshot at the head",
      "this.#isAt({ incarnation, seq: asOf, changeId })) {",
      "1) {",
      "head where",
    ],
    [
      "doubt between two reads",
      "this.#unconfirmed.sinceMs(snapshot.orgId)",
      "Number.NEGATIVE_INFINITY",
      "before another",
    ],
    [
      "no lease from one of two snapshots that disagree",
      "!this.hasUnconfirmed && this.#isAt",
      "this.#isAt",
      "renews no",
    ],
    ["doubt about what is ahead of a beginning", "      this.#lastReplyMs = nowMs;\n", "", "snapshot ahead"],
    [
      "no beginning from before everything was forgotten",
      "if (generation !== this.generation) return;",
      "",
      "begins anew",
    ],
    ["a generation per flush", "if (this.#following !== undefined) this.generation += 1;", "", "knows another"],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/history.test.ts", [
    [
      "reads of rows that are not known",
      "return !this.hasRead(snapshot);",
      "return false;",
      "doubts a snapshot of a row",
    ],
    [
      "what is outdated by what is known of the log",
      "this.#changeIds.oldestSeq);",
      "0);",
      "doubts a snapshot of a row",
    ],
  ]),
  ...guardsOf("coherence/log-position.ts", "coherence/history.test.ts", [
    ["the part of a page that is news", "if (index < 0) return undefined;", "return undefined;", "takes what"],
  ]),
  ...guardsOf("coherence/history.ts", "resolver/many-organisations.test.ts", [
    [
      "no fence under what the log has shown",
      "    if (!this.hasReadUpTo(asOf)) this.#u",
      "    this.#fences.raise(orgId, asOf);\n    this.#u",
      "remembers is answered",
    ],
  ]),
  ...guardsOf("coherence/shared-snapshots.ts", "resolver/many-organisations.test.ts", [
    [
      "a word of what is outdated",
      'if (memory.history.isOutdated(cached)) return this.#refuse(orgId, "outdated");',
      "",
      "and counted",
    ],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "coherence/worker-memory.test.ts", [
    [
      "what is held of a row that is not known any more",
      "this.history.hasRead(held))",
      "this.history.hasReadUpTo(held.asOf))",
      "however long",
    ],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/read-ahead.test.ts", [
    ["a fence under what was read ahead", ", this.#unconfirmed.fence(orgId))", ")", "no organisation"],
    [
      "a fence under what was read ahead by one",
      "if (!this.hasReadUpTo(asOf)) this.#u",
      "if (!this.hasReadUpTo(asOf - 1)) this.#u",
      "no organisation",
    ],
    [
      "a fence until the log has shown what was read ahead",
      'if (!this.hasReadUpTo(page.head)) return "more";',
      'this.#unconfirmed.clear();\n    if (!this.hasReadUpTo(page.head)) return "more";',
      "no organisation",
    ],
  ]),
  ...guardsOf("coherence/unconfirmed.ts", "coherence/worker-memory.test.ts", [
    ["rows that a later page refutes", "sinceMs >= sentAtMs && ", "", "has shown to be of a lost history"],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/worker-memory.test.ts", [
    ["no fence under what the log has shown", "if (!this.hasReadUpTo(asOf)) this.#u", "this.#u", "needs no fence"],
  ]),
  ...guardsOf("coherence/fences.ts", "coherence/history.test.ts", [
    ["the floor", "this.#seqs.get(orgId) ?? this.#floor", "this.#seqs.get(orgId) ?? 0", "refuses what"],
    [
      "fences beyond what was read",
      "if (seq <= floor) this.#seqs.delete(orgId);",
      "this.#seqs.delete(orgId);",
      "forgets its oldest",
    ],
    ["a floor under forgotten fences", "this.#floor = Math.max(this.#floor, floor);", "", "forgets its oldest"],
    ["a floor that is not the head", "seqs[seqs.length - keep - 1]", "seqs.at(-1)", "forgets its oldest"],
  ]),
  ...guardsOf("coherence/moment.ts", "coherence/moment.test.ts", [
    [
      "a wall clock that was set back",
      "if (now.wallMs < began.wallMs) return Math.max(monotonic, 0);",
      "",
      "lease when",
    ],
    [
      "a suspended machine",
      "return Math.max(monotonic, now.wallMs - began.wallMs - leaseMs);",
      "return monotonic;",
      "by whichever",
    ],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "resolver/coherence.test.ts", [
    [
      "the lease",
      "this.history.isAdmissible(snapshot) && this.overdueMs(snapshot) < 0",
      "this.history.isAdmissible(snapshot)",
      "are handed",
    ],
    ["a bounded memory", "new LRUCache({ max: maxOrgs })", "new LRUCache({ max: 1_000_000 })", "never taken"],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "coherence/worker-memory.test.ts", [
    [
      "a fence under what was installed",
      "this.history.noteTaken(snapshot, this.#clock.monotonicMs());",
      "",
      "older snapshot",
    ],
    ["bounded fences", "      this.history.compact(this.#maxFences / 2);\n", "", "still hands"],
    ["restamped snapshots", "Object.assign(snapshot, { asOf, changeId })", "void 0", "still hands"],
    [
      "memory that is dropped with its history",
      "if (isFlush(outcome)) this.#snapshots.clear();",
      "",
      "drops everything",
    ],
    [
      "a word of what was read over",
      'isFlush(outcome) || (this.#hasGap && outcome === "current")',
      "isFlush(outcome)",
      "tells those",
    ],
    ["snapshots that the log has refuted", "if (hasUnconfirmed) this.#dropInadmissible();", "", "has shown to be of"],
    [
      "fences that the log cannot bound",
      "    this.history.reset();\n    this.#snapshots.clear();\n",
      "",
      "fences also",
    ],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/worker-memory.test.ts", [
    ["pages of another generation", 'if (generation !== this.generation) return "overtaken";', "", "was asked"],
    [
      "pages that contradict each other",
      '    this.reset();\n    return "contradicted";',
      '    return "contradicted";',
      "everything when",
    ],
    [
      "rows that an earlier page lacks",
      "if (this.#unconfirmed.isMissing(isShown, sentAt.monotonicMs)) return this.#contradict();",
      "",
      "of which it does not have",
    ],
    [
      "a generation for a new beginning",
      "this.#changeIds.clear();\n    this.generation += 1;",
      "this.#changeIds.clear();",
      "everything when",
    ],
  ]),
  ...guardsOf("coherence/in-flight-reads.ts", "resolver/coherence.test.ts", [
    ["a read per fence", "current?.fence === fence && current.generation === generation", "current", "not shared"],
    ["shared reads", "current?.fence === fence && current.generation === generation", "false", "shared: many"],
  ]),
  ...guardsOf("coherence/snapshot-attempt.ts", "resolver/coherence.test.ts", [
    [
      "the use rule after a wait",
      "snapshot !== undefined && answers.satisfies(snapshot, this.#request) ? snapshot",
      "snapshot !== undefined && (snapshot === this.#result?.snapshot || answers.satisfies(snapshot, this.#request)) ? snapshot",
      "waited for its key",
    ],
  ]),
  ...guardsOf("coherence/snapshot-answers.ts", "resolver/coherence.test.ts", [
    ["atLeast", " && this.shows(snapshot, atLeast)", "", "gone at once"],
    ["an end of a lease that is past it", "Math.max(overdueMs, 1)", "overdueMs", "back while"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", "resolver/stampede.test.ts", [
    ["a read that leaves time to fall back", "deadlineMs * readShare", "deadlineMs", "by the deadline"],
  ]),
  ...guardsOf("coherence/snapshot-attempt.ts", "resolver/resolve.test.ts", [
    [
      "keys that are tried again",
      "return await this.#deadline.race(reopenKeys(keyring, snapshot, this.#request.providers));",
      "return;",
      "key service",
    ],
    [
      "keys of another snapshot that are tried again",
      "this.#reopened === snapshot ||",
      "this.#reopened !== undefined ||",
      "memory forgets what is being opened",
    ],
  ]),
  ...guardsOf("coherence/history.ts", "resolver/restored-database.test.ts", []),
  ...guardsOf("coherence/snapshot-loader.ts", "resolver/coherence.test.ts", [
    [
      "no snapshot after close()",
      "this.#isClosed || !memory.install(snapshot)",
      "!memory.install(snapshot)",
      "lands after",
    ],
  ]),
  ...guardsOf("deadline.ts", "deadline.test.ts", [
    ["a deadline", "() => fail(this.#expiry())", "() => {}", "with its own error"],
    ["a signal that ends a call", "fail(signal.reason);", "void signal.reason;", "reason of its signal"],
    [
      "no timer that is left behind",
      "stops.push(() => timer.cancel());",
      "void timer;",
      "as its work|reason of its signal",
    ],
    [
      "no listener that is left behind",
      'stops.push(() => signal.removeEventListener("abort", listener));',
      "",
      "as its work|with its own error",
    ],
    [
      "a call that has ended already",
      "      this.throwIfEnded();\n      const leftMs",
      "      const leftMs",
      "has ended already",
    ],
  ]),
  ...guardsOf("coherence/snapshot-batcher.ts", "resolver/coherence.test.ts", [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: readMoment(this.#clock) })",
      "when its read",
    ],
    ["shared statements", "slice(0, maxSnapshotOrgs)", "slice(0, 1)", "thousand cold"],
    ["a waiting read's limit", "return this.#limited(waiter.promise);", "return waiter.promise;", "nobody waits"],
    [
      "a statement's limit",
      "await this.#limited(this.#store.snapshots(batch.map(([orgId]) => orgId)));",
      "await this.#store.snapshots(batch.map(([orgId]) => orgId));",
      "nobody waits",
    ],
  ]),
  ...guardsOf("coherence/snapshot-batcher.ts", "resolver/resolve.test.ts", [
    [
      "an answer for the organisation that was asked for",
      "if (snapshot?.orgId === orgId)",
      "if (snapshot)",
      "store mixes",
    ],
  ]),
  ...guardsOf("coherence/change-feed.ts", "resolver/coherence.test.ts", [
    [
      "a lease from when a poll is sent",
      "memory.applyPage(page, request)",
      "memory.applyPage(page, { ...request, sentAt: readMoment(clock) })",
      "when its poll",
    ],
    [
      "readiness that comes back by itself",
      "memory.isIdle && this.#failures === 0",
      "memory.size === 0",
      "ready again",
    ],
    ["following the log", "this.#timer = clock.schedule(delayMs", "void (delayMs", "ready again"],
  ]),
  ...guardsOf("coherence/change-feed.ts", "resolver/restored-database.test.ts", [
    ["no poll of an empty memory", "memory.isIdle && this.#failures === 0", "false", "flush has"],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/history.test.ts", [
    [
      "a snapshot of another history",
      "this.#changeIds.allow(snapshot.asOf, snapshot.changeId) &&",
      "",
      "another change id for a row that was read",
    ],
  ]),
];
