import type { Clock, Timer } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import type { LogCursor, LogPage } from "../store/change-log.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { CacheEvent } from "./cache-event.ts";
import { readMoment } from "./moment.ts";
import { isFlush } from "./page-outcome.ts";
import { PollRateLimiter } from "./poll-rate-limiter.ts";
import type { WorkerMemory } from "./worker-memory.ts";

export interface ChangeFeedOptions {
  readonly store: KeyStore;
  readonly memory: WorkerMemory;
  readonly clock: Clock;
  readonly pollMs: number;
  /** How far a starting worker reads the log back, in milliseconds. */
  readonly windowMs: number;
  /** The longest that one read of the log may take. */
  readonly limitMs: number;
  readonly onEvent: (event: CacheEvent) => void;
}

/** Follows the change log: what is read here raises fences and renews the lease. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #polling: Promise<void> | undefined;
  #timer: Timer | undefined;
  readonly #limiter: PollRateLimiter;
  #isClosed = false;
  #failures = 0;
  #head = 0;
  /** Where the read that is under way began. */
  #readsFrom: number | undefined;
  /** Told which changes a scheduled poll has shown: those behind `after` up to `upTo`. */
  onScheduledPoll: (after: number, upTo: number) => void = () => {};
  /** Whether a change of the organisation matters here. */
  matters: (orgId: string) => boolean = () => false;
  /** How many changes that matter were shown. */
  #shown = 0;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    const { clock, memory } = options;
    const hasReadUpTo = (seq: number): boolean => memory.history.hasReadUpTo(seq);
    this.#limiter = new PollRateLimiter({ clock, poll: () => this.#pollForNotice(), hasReadUpTo });
  }

  /** Polls that have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** The newest change that a page has told of. */
  get head(): number {
    return this.#head;
  }

  /** How far the read that is under way has come, in changes; `undefined` before its first page, and while there is none. */
  get progress(): { readonly read: number; readonly total: number } | undefined {
    const { following } = this.#options.memory.history;
    if (this.#readsFrom === undefined || following === undefined) return undefined;
    return { read: following.seq - this.#readsFrom, total: this.#head - this.#readsFrom };
  }

  /** Reads the log up to its head. One read is under way at a time; a call during it joins it. */
  poll(): Promise<void> {
    this.#polling ??= this.#readToHead().finally(() => {
      this.#readsFrom = undefined;
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Reads the log soon, because of a notice of that change; `Infinity` where its number is not known. */
  pollSoon(seq: number): void {
    this.#limiter.ask(seq);
  }

  /** Reads the log from now on: a read that is under way may have been sent too early. */
  async pollAnew(): Promise<void> {
    await this.#polling?.catch(() => {});
    await this.poll();
  }

  /** Polls from now on every `pollMs`, as long as anything is remembered, or until a poll that failed has been made good. */
  follow(): void {
    const { clock, pollMs, memory } = this.#options;
    const isIdle = memory.isIdle && this.#failures === 0;
    if (this.#timer !== undefined || this.#isClosed || isIdle) return;
    const delayMs = pollMs * (0.9 + 0.2 * clock.random());
    this.#timer = clock.schedule(delayMs, () => void this.#tick(), "background");
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#limiter.close();
  }

  async #pollForNotice(): Promise<boolean> {
    const shownBefore = this.#shown;
    await this.pollAnew();
    return this.#shown > shownBefore;
  }

  async #tick(): Promise<void> {
    const { history } = this.#options.memory;
    const after = history.following?.seq;
    await this.poll().catch(() => {});
    if (after !== undefined) this.onScheduledPoll(after, Math.max(after, history.following?.seq ?? after));
    this.#timer = undefined;
    this.follow();
  }

  async #readToHead(): Promise<void> {
    const { memory, store, clock, limitMs, onEvent } = this.#options;
    try {
      for (;;) {
        const request = { sentAt: readMoment(clock), generation: memory.history.generation };
        const page = await within(clock, limitMs, store.poll(this.#nextCursor()), () => tooSlow(limitMs));
        if (this.#isClosed) return;
        this.#head = page.head;
        this.#readsFrom ??= page.after;
        const { lost: lostBefore } = memory.history;
        this.#noteShown(page);
        const outcome = memory.applyPage(page, request);
        if (isFlush(outcome)) {
          onEvent({ type: "flushed", reason: outcome === "contradicted" ? "other_history" : outcome });
          const { lost } = memory.history;
          if (lost !== undefined && lost !== lostBefore) onEvent({ type: "history_lost", ...lost });
        }
        if (outcome === "current" || outcome === "other_incarnation" || outcome === "other_history") break;
      }
      if (this.#failures > 0) onEvent({ type: "feed_recovered", failures: this.#failures });
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      onEvent({ type: "poll_failed", failures: this.#failures, leaseLeftMs: memory.leaseLeftMs() });
      this.follow();
      throw error;
    }
  }

  /** Before the page is taken in: what it outdates is not held any more then. */
  #noteShown({ changes }: LogPage): void {
    const { history } = this.#options.memory;
    for (const { seq, orgId } of changes) if (!history.hasReadUpTo(seq) && this.matters(orgId)) this.#shown += 1;
  }

  #nextCursor(): LogCursor {
    const { memory, windowMs } = this.#options;
    const { following } = memory.history;
    return following === undefined ? { windowMs } : { after: following.seq };
  }
}

function tooSlow(limitMs: number): ByokError {
  return new ByokError(
    "store_unavailable",
    `The key store did not show its change log within ${limitMs} ms. Check the database, then try again.`,
  );
}
