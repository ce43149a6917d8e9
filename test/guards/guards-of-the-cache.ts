import { type Guard, guardsOf } from "./guard.ts";

/** Fence, lease and flights. */
export const guardsOfTheCache: readonly Guard[] = [
  ...guardsOf("coherence/history.ts", "coherence/history.test.ts", [
    ["the fence", "snapshot.snap >= this.fence(snapshot.orgId)", "true"],
    ["the generation", "snapshot.generation === this.generation &&", ""],
    ["the incarnation", "snapshot.incarnation === this.#incarnation &&", "this.#incarnation !== undefined &&"],
    ["the mark of the row read last", "page.afterMark !== this.#lastMark || page.head", "page.head"],
    ["a head that went back", " || page.head < this.#lastSeq", ""],
    ["another incarnation's page", "if (page.incarnation !== this.#incarnation) return", "if (false) return"],
    ["a log without gaps", "if (seq !== this.#lastSeq + 1) return", "if (false) return"],
    ["a lease from the head alone", 'if (this.#lastSeq < page.head) return "more";', ""],
    ["a page that was overtaken", 'return isOther ? "contradicted" : "overtaken";', 'return "current";'],
    ["the part of a page that is news", "if (here < 0) return undefined;", "return undefined;"],
    ["another mark for a row that was read", "this.#marks.allow(snapshot.snap, snapshot.mark) &&", ""],
    [
      "a lease from a snapshot at the head",
      "snapshot.snap === this.#lastSeq && snapshot.mark === this.#lastMark) {",
      "1) {",
    ],
    ["doubt between two reads", "this.#aheadOf.get(orgId) ?? Number.NEGATIVE_INFINITY", "Number.NEGATIVE_INFINITY"],
    ["no lease from one of two snapshots that disagree", "!this.isAhead && snapshot.snap ===", "snapshot.snap ==="],
    ["doubt about what is ahead of a beginning", "      this.#toldAtMs = nowMs;\n", ""],
    ["no beginning from before everything was forgotten", "if (generation !== this.generation) return;", ""],
    ["a generation per flush", "if (this.isStarted) this.generation += 1;", ""],
  ]),
  ...guardsOf("coherence/fences.ts", "coherence/history.test.ts", [
    ["the floor", "this.#seqs.get(orgId) ?? this.#floor", "this.#seqs.get(orgId) ?? 0"],
    ["fences beyond what was read", "if (known <= seq) this.#seqs.delete(orgId);", "this.#seqs.delete(orgId);"],
    ["a floor under forgotten fences", "this.#floor = Math.max(this.#floor, seq);", ""],
  ]),
  ...guardsOf("coherence/moment.ts", "coherence/moment.test.ts", [
    ["a wall clock that was set back", "if (now.wallMs < began.wallMs) return Math.max(monotonic, 0);", ""],
    ["a suspended machine", "return Math.max(monotonic, now.wallMs - began.wallMs - leaseMs);", "return monotonic;"],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "resolver/coherence.test.ts", [
    ["the lease", "this.history.admits(held) && this.overdueMs(held) < 0", "this.history.admits(held)"],
    ["a bounded memory", "new LRUCache({ max: maxOrgs })", "new LRUCache({ max: 1_000_000 })"],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "coherence/worker-memory.test.ts", [
    ["a fence under what was installed", "this.history.raiseFence(held.orgId, held.snap);", ""],
    ["bounded fences", "    this.history.compact();\n", ""],
    ["restamped snapshots", "Object.assign(held, { snap: lastSeq, mark: lastMark })", "void 0"],
    ["memory that is dropped with its history", "if (isFlush(learned)) this.#snapshots.clear();", ""],
    ["snapshots that the log has refuted", "if (isAhead) this.#dropRefused();", ""],
    ["fences that the log cannot bound", "    this.history.forget();\n    this.#snapshots.clear();\n", ""],
  ]),
  ...guardsOf("coherence/history.ts", "coherence/worker-memory.test.ts", [
    ["pages of another generation", 'if (generation !== this.generation) return "overtaken";', ""],
    ["pages that contradict each other", "if (isOther) this.forget();", ""],
    ["a generation for a new beginning", "this.#marks.clear();\n    this.generation += 1;", "this.#marks.clear();"],
  ]),
  ...guardsOf("coherence/flights.ts", "resolver/coherence.test.ts", [
    ["a flight per fence", "current?.fence === fence && current.generation === generation", "current"],
    ["shared flights", "current?.fence === fence && current.generation === generation", "false"],
  ]),
  ...guardsOf("coherence/snapshot-cache.ts", "resolver/coherence.test.ts", [
    [
      "the use rule after a wait",
      "if (held !== undefined && this.#isUsable(held, request)) {",
      "if (held !== undefined && (held === landed?.held || this.#isUsable(held, request))) {",
    ],
    ["atLeast", " && this.#shows(held, request.atLeast)", ""],
    ["no snapshot after close()", "this.#isClosed || !this.memory.install(held)", "!this.memory.install(held)"],
  ]),
  ...guardsOf("coherence/snapshot-cache.ts", "resolver/coherence.test.ts", [
    ["an end of a lease that is past it", "Math.max(overdueMs, 1)", "overdueMs", "set back"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", "resolver/stampede.test.ts", [
    ["a read that leaves time to fall back", "deadlineMs * readShare", "deadlineMs", "by the deadline"],
  ]),
  ...guardsOf("coherence/snapshot-cache.ts", "resolver/resolve.test.ts", [
    [
      "keys that are tried again",
      "await deadline.race(reopenKeys(this.#options.keyring, held, request.providers));",
      "",
    ],
  ]),
  ...guardsOf("coherence/history.ts", "resolver/restored-database.test.ts", [
    ["a snapshot of another history", "this.#marks.allow(snapshot.snap, snapshot.mark) &&", ""],
  ]),
  ...guardsOf("coherence/snapshot-reads.ts", "resolver/coherence.test.ts", [
    [
      "a lease from when a read is sent",
      "resolve({ snapshot, sentAt })",
      "resolve({ snapshot, sentAt: momentOf(this.#clock) })",
    ],
    ["shared statements", "slice(0, maxSnapshotOrgs)", "slice(0, 1)"],
    ["a read's limit", "return this.#limited(waiter.promise);", "return waiter.promise;"],
  ]),
  ...guardsOf("coherence/snapshot-reads.ts", "resolver/resolve.test.ts", [
    ["an answer for the organisation that was asked for", "if (snapshot?.orgId === orgId)", "if (snapshot)"],
  ]),
  ...guardsOf("coherence/change-feed.ts", "resolver/coherence.test.ts", [
    [
      "a lease from when a poll is sent",
      "memory.learn(page, asked)",
      "memory.learn(page, { ...asked, sentAt: momentOf(clock) })",
    ],
    [
      "readiness that comes back by itself",
      "memory.size === 0 && this.#failures === 0",
      "memory.size === 0",
      "ready again",
    ],
    ["following the log", "this.#timer = clock.schedule(delayMs", "void (delayMs"],
  ]),
  ...guardsOf("coherence/change-feed.ts", "resolver/restored-database.test.ts", [
    ["no poll of an empty memory", "memory.size === 0 && this.#failures === 0", "false"],
  ]),
];
