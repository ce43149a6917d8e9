import type { Clock, Timer } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import type { KeyStore, LogCursor } from "../vault/key-store.ts";
import type { CacheEvent } from "./cache-event.ts";
import { momentOf } from "./moment.ts";
import type { WorkerMemory } from "./worker-memory.ts";

export interface ChangeFeedOptions {
  readonly store: KeyStore;
  readonly memory: WorkerMemory;
  readonly clock: Clock;
  readonly pollMs: number;
  /** The longest that one read of the log may take. */
  readonly limitMs: number;
  readonly onEvent: (event: CacheEvent) => void;
}

/** Follows the change log: what is learnt here raises fences and renews the lease. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #polling: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #failures = 0;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Polls that have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Reads the log up to its head. One read is under way at a time; a call during it joins it. */
  poll(): Promise<void> {
    this.#polling ??= this.#readToHead().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Polls from now on every `pollMs`, as long as anything is remembered. */
  follow(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#options.memory.size === 0) return;
    const { clock, pollMs } = this.#options;
    const delayMs = pollMs * (0.9 + 0.2 * clock.random());
    this.#timer = clock.schedule(delayMs, () => void this.#tick(), "background");
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #tick(): Promise<void> {
    await this.poll().catch(() => {});
    this.#timer = undefined;
    this.follow();
  }

  async #readToHead(): Promise<void> {
    const { memory, store, clock, limitMs, onEvent } = this.#options;
    try {
      for (;;) {
        const sentAt = momentOf(clock);
        const page = await within(clock, limitMs, store.poll(this.#cursor()), () => tooSlow(limitMs));
        if (this.#isClosed) return;
        const learned = memory.learn(page, sentAt);
        if (learned === "other_incarnation" || learned === "other_history") {
          onEvent({ type: "flushed", reason: learned });
        }
        if (learned !== "more" && learned !== "overtaken") break;
      }
      if (this.#failures > 0) onEvent({ type: "feed_recovered", failures: this.#failures });
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      onEvent({ type: "poll_failed", failures: this.#failures, leaseLeftMs: memory.leaseLeftMs() });
      throw error;
    }
  }

  #cursor(): LogCursor {
    const { history } = this.#options.memory;
    return history.isStarted ? { after: history.lastSeq } : { windowMs: 0 };
  }
}

function tooSlow(limitMs: number): ByokError {
  return new ByokError(
    "store_unavailable",
    `The key store did not show its change log within ${limitMs} ms. Check the database, then try again.`,
  );
}
