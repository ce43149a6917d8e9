import type { Clock } from "../clock.ts";
import type { RefusedKeyFailure } from "./fallback-policy.ts";

/** How long a key that was refused is not sent, in milliseconds. */
export const markedMs = 30_000;

interface Mark {
  failure: RefusedKeyFailure;
  /** On the monotonic clock. From then on one request may try the key. */
  untilMs: number;
  /** The request that tries it. It has as long for that as the mark lasted: one that is never heard of again ends nothing. */
  probe: object | undefined;
  probeUntilMs: number;
}

/**
 * Keys that their providers have refused, by secret id: a new key starts clean. A marked key serves nothing for 30 seconds;
 * then one request tries it, and only that one's success takes the mark away.
 */
export class KeyMarks {
  readonly #clock: Clock;
  readonly #maxMarks: number;
  /** In the order in which they were made. */
  readonly #marks = new Map<string, Mark>();
  /** The request that asks in this very turn: its own trial does not stand in its way. */
  #asking: object | undefined;

  constructor(clock: Clock, maxMarks: number) {
    this.#clock = clock;
    this.#maxMarks = maxMarks;
  }

  get isEmpty(): boolean {
    return this.#marks.size === 0;
  }

  /** Whether a key is marked; if it serves all the same, one request tries it. */
  isMarked(secretId: string | null): boolean {
    return this.#find(secretId) !== undefined;
  }

  /** Why a key does not serve now; `undefined`: it serves, or may be tried. */
  failureOf(secretId: string | null): RefusedKeyFailure | undefined {
    if (this.#marks.size === 0 || secretId === null) return undefined;
    const mark = this.#marks.get(secretId);
    if (mark === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    if (mark.probe === undefined) return nowMs < mark.untilMs ? mark.failure : undefined;
    return mark.probe === this.#asking || nowMs >= mark.probeUntilMs ? undefined : mark.failure;
  }

  /** What `ask` says to `request`. */
  askFor<T>(request: object, ask: () => T): T {
    if (this.#marks.size === 0) return ask();
    this.#asking = request;
    try {
      return ask();
    } finally {
      this.#asking = undefined;
    }
  }

  /** `request` leaves with a key that serves: where that is marked, it is the one that tries it. */
  leave(secretId: string | null, request: object): void {
    const mark = this.#find(secretId);
    if (mark === undefined) return;
    mark.probe = request;
    mark.probeUntilMs = this.#clock.monotonicMs() + markedMs;
  }

  /** Whether `request` is no news: another has marked the key, and it did not leave to try that. */
  isKnown(secretId: string, request: object): boolean {
    const mark = this.#find(secretId);
    return mark !== undefined && mark.probe !== request && this.failureOf(secretId) !== undefined;
  }

  /** Marks a key. Returns `true` if that is news about it. */
  mark(secretId: string, failure: RefusedKeyFailure): boolean {
    const before = this.#marks.get(secretId);
    const untilMs = this.#clock.monotonicMs() + markedMs;
    this.#marks.delete(secretId);
    this.#marks.set(secretId, { failure, untilMs, probe: undefined, probeUntilMs: 0 });
    for (const [oldest] of this.#marks) {
      if (this.#marks.size <= this.#maxMarks) break;
      this.#marks.delete(oldest);
    }
    return before?.failure !== failure;
  }

  /** `request` has ended. Returns `true` if its success has taken a mark away. */
  end(secretId: string | null, request: object, hasSucceeded: boolean): boolean {
    const mark = this.#find(secretId);
    if (mark === undefined || mark.probe !== request) return false;
    if (hasSucceeded) return this.#marks.delete(secretId as string);
    mark.probe = undefined;
    return false;
  }

  #find(secretId: string | null): Mark | undefined {
    return this.#marks.size === 0 || secretId === null ? undefined : this.#marks.get(secretId);
  }
}
