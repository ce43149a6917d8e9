import type { Clock, Timer } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import { ownProperty } from "../own-property.ts";
import type { NotedUse } from "../store/key-change.ts";
import type { KeyStore } from "../store/key-store.ts";

/** The most keys whose note waits for the store. The oldest is dropped: its provider will say the same again. */
const maxWaiting = 1_000;

/** The longest that one note is waited for, in milliseconds: stores end their calls themselves. */
const limitMs = 10_000;

/** Between two attempts, in milliseconds: at first, and at most. */
const minPauseMs = 1_000;
const maxPauseMs = 60_000;

/**
 * Notes for people what providers say of keys as calls use them: one after the other, the newest word on a key only, and
 * again until the store takes it.
 */
export class UseNotes {
  readonly #clock: Clock;
  readonly #store: KeyStore;
  readonly #waiting = new Map<string, NotedUse>();
  #pauseMs = minPauseMs;
  #isWriting = false;
  readonly #closing = new AbortController();
  #timer: Timer | undefined;

  constructor(clock: Clock, store: KeyStore) {
    this.#clock = clock;
    this.#store = store;
  }

  add(use: NotedUse): void {
    if (this.#closing.signal.aborted || ownProperty(this.#store, "noteUse") === undefined) return;
    this.#waiting.delete(use.secretId);
    this.#waiting.set(use.secretId, use);
    for (const [oldest] of this.#waiting) {
      if (this.#waiting.size <= maxWaiting) break;
      this.#waiting.delete(oldest);
    }
    if (this.#timer === undefined && !this.#isWriting) void this.#write();
  }

  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    this.#timer = undefined;
    for (const [secretId, use] of this.#waiting) {
      if (!(await this.#note(use))) break;
      if (this.#waiting.get(secretId) === use) this.#waiting.delete(secretId);
    }
    this.#isWriting = false;
    if (this.#waiting.size > 0 && !this.#closing.signal.aborted) this.#writeLater();
  }

  /** Resolves to `true` if that is done with: the store took it, or never will. */
  async #note(use: NotedUse): Promise<boolean> {
    try {
      const deadline = new Deadline(this.#clock, limitMs, [this.#closing.signal], tooSlow);
      const noting = ownProperty(this.#store, "noteUse")?.call(this.#store, use);
      await deadline.race(Promise.resolve(noting));
      this.#pauseMs = minPauseMs;
      return true;
    } catch (error) {
      return !isByokError(error) || !error.retryable;
    }
  }

  #writeLater(): void {
    this.#timer = this.#clock.schedule(this.#pauseMs, () => void this.#write(), "background");
    this.#pauseMs = Math.min(2 * this.#pauseMs, maxPauseMs);
  }
}

function tooSlow(): ByokError {
  const message = `The key store took no note within ${limitMs} ms. Check the database.`;
  return new ByokError("store_unavailable", message);
}
