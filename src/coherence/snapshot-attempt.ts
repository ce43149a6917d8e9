import type { Deadline } from "../deadline.ts";
import { isByokError } from "../errors.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { InFlightReads, ReadResult } from "./in-flight-reads.ts";
import { listUnopened, type OpenedSnapshot, reopenKeys } from "./opened-snapshot.ts";
import type { SnapshotAnswer, SnapshotAnswers, SnapshotRequest } from "./snapshot-answers.ts";

/** Between two reads that both miss the change that a call must see, in milliseconds: at first, and at most. */
const unseenPauseMs = 25;
const maxUnseenPauseMs = 400;

/** What every call of a worker has in common. */
export interface SnapshotAttemptOptions {
  readonly answers: SnapshotAnswers;
  readonly feed: ChangeFeed;
  readonly reads: InFlightReads;
  readonly keyring: Keyring;
}

/** One call's way to its answer. */
export class SnapshotAttempt {
  readonly #options: SnapshotAttemptOptions;
  readonly #orgId: string;
  readonly #request: SnapshotRequest;
  readonly #deadline: Deadline;
  /** What its last read has brought. */
  #result: ReadResult | undefined;
  /** Of which snapshot the keys that did not open have been tried again; memory may forget it meanwhile. */
  #reopened: OpenedSnapshot | undefined;
  /** Whether a read of its own has failed. */
  #hasFailed = false;
  /** Before the next read, where the last one missed the change that the call must see. */
  #pauseMs = unseenPauseMs;

  constructor(options: SnapshotAttemptOptions, orgId: string, request: SnapshotRequest, deadline: Deadline) {
    this.#options = options;
    this.#orgId = orgId;
    this.#request = request;
    this.#deadline = deadline;
  }

  /** Reads until the use rule lets an answer through or the deadline ends. */
  async run(): Promise<SnapshotAnswer> {
    this.#deadline.throwIfEnded();
    let answer = this.#answer();
    while (answer === undefined) {
      await this.#advance();
      if (!this.#hasFailed) this.#deadline.throwIfEnded();
      answer = this.#answer();
    }
    return answer;
  }

  /** What may be handed out in this very turn: what satisfies the rule, or what was last known while the store is away. */
  #answer(): SnapshotAnswer | undefined {
    const snapshot = this.#usable();
    if (snapshot === undefined) return this.#answerWithoutStore();
    const isTried = this.#reopened === snapshot || listUnopened(snapshot, this.#request.providers).length === 0;
    return isTried ? this.#options.answers.use(snapshot, this.#result?.from ?? "memory") : undefined;
  }

  /** While polls fail the last known answer is given at once, and the read runs behind the call's back. */
  #answerWithoutStore(): SnapshotAnswer | undefined {
    const { answers, reads } = this.#options;
    const isAway = this.#hasFailed || answers.isAway;
    const answer = isAway ? answers.overdue(this.#orgId, this.#request) : undefined;
    if (answer !== undefined && !this.#hasFailed) reads.joinBehind(this.#orgId);
    return answer;
  }

  /** The next thing to wait for: keys that are tried again, else a read. */
  async #advance(): Promise<void> {
    const { answers, keyring } = this.#options;
    const snapshot = this.#usable();
    if (snapshot !== undefined) {
      this.#reopened = snapshot;
      return await this.#deadline.race(reopenKeys(keyring, snapshot, this.#request.providers));
    }
    try {
      await this.#read();
    } catch (error) {
      const isClosed = isByokError(error) && error.code === "closed";
      const mayFallBack = isByokError(error) && !isClosed && answers.overdue(this.#orgId, this.#request) !== undefined;
      if (!mayFallBack) throw error;
      this.#hasFailed = true;
    }
  }

  async #read(): Promise<void> {
    const { answers, feed, reads } = this.#options;
    const { atLeast } = this.#request;
    this.#result = await this.#deadline.race(reads.join(this.#orgId));
    const snapshot = this.#result?.snapshot;
    if (snapshot !== undefined && answers.shows(snapshot, atLeast)) return;
    // The shared cache goes on giving an outdated entry until the log has said that it is outdated.
    await this.#deadline.race(feed.poll());
    if (snapshot === undefined || answers.shows(snapshot, atLeast)) return;
    await this.#deadline.pause(this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, maxUnseenPauseMs);
  }

  #usable(): OpenedSnapshot | undefined {
    const { answers } = this.#options;
    const snapshot = answers.memory.find(this.#orgId) ?? this.#result?.snapshot;
    return snapshot !== undefined && answers.satisfies(snapshot, this.#request) ? snapshot : undefined;
  }
}
